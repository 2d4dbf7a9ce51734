// What one can search for: names, ops, shapes, and costs (`macs > 100M`).

import { MEASURES, kindOf, ofOne, whyOf, whysOf } from "../source/network.js";

const COST = /^(parameters|params|macs|activations|memory|intensity)\s*(>=|<=|>|<)\s*([\d.]+)\s*([kmgt]?)b?$/i;
const LETTERS = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const MOST = 60;

/** The items that a text finds, the best first, each with the parameter that it names and the cost that it asks for, if it does. */
export function search(network, query) {
  const words = query.trim().toLowerCase().replace(/\s*(>=|<=|>|<)\s*/g, "$1").split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const tests = words.map((word) => testOf(word));
  const found = [];
  const named = parameterAsked(network, words);
  if (named) found.push({ ...named, rank: -1 });
  for (const item of network.items) {
    const ranks = tests.map((test) => test(item));
    if (ranks.every((rank) => rank >= 0)) found.push({ item, asked: "", rank: Math.max(...ranks) });
  }
  const costs = words.map((word) => COST.exec(word)?.[1].toLowerCase()).filter(Boolean);
  const by = costs.length ? measureOf(costs[0]) : "";
  found.sort((one, two) => (by ? ofOne(two.item, by) - ofOne(one.item, by) : one.rank - two.rank || one.item.at - two.item.at));
  return found.slice(0, MOST).map((each) => ({ ...each, by }));
}

/** `layer3.0.conv2.stride`: an item, and one of its parameters. */
function parameterAsked(network, [word, ...others]) {
  const dot = word.lastIndexOf(".");
  if (others.length || dot < 0) return null;
  const [path, name] = [word.slice(0, dot), word.slice(dot + 1)];
  const item = network.items.find((each) => each.path.toLowerCase() === path);
  const why = item && whysOf(network, item).find((number) => whyOf(network, number).name.toLowerCase() === name);
  return why === undefined || !item ? null : { item, asked: name };
}

const measureOf = (word) => (word === "params" ? "parameters" : word);

function testOf(word) {
  const cost = COST.exec(word);
  if (cost) {
    const [, what, sign, number, letter] = cost;
    const measure = measureOf(what.toLowerCase());
    const bound = Number(number) * LETTERS[letter.toLowerCase()];
    return (item) => {
      const value = ofOne(item, measure);
      if (value === null || !(measure in MEASURES)) return -1;
      const holds = { ">": value > bound, "<": value < bound, ">=": value >= bound, "<=": value <= bound }[sign];
      return holds ? 0 : -1;
    };
  }
  const plain = word.replaceAll("x", "×");
  return (item) => {
    const path = item.path.toLowerCase();
    if (path === word) return 0;
    if (path.endsWith(`.${word}`)) return 1;
    if (path.includes(word)) return 2;
    const told = `${kindOf(item)} ${item.facts.kind} ${item.block}`.toLowerCase();
    if (told.includes(word) || told.includes(plain)) return 3;
    return `${item.facts.input} ${item.facts.output}`.toLowerCase().includes(plain) ? 4 : -1;
  };
}
