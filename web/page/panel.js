// What is told beside the drawing: of the item that is chosen, else of the whole network.

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { abbreviate, exact, percent, told } from "../drawing/numbers.js";
import { MEASURES, keysOf, kindOf, ofOne, placeOf, whyOf, whysOf } from "../source/network.js";

/** The facts of an item: figures of one, and of all where it is there more often. */
export function Details({ network, item, act, asked, heat, children }) {
  const { facts, times } = item;
  const section = useRef(null);
  useEffect(() => section.current.querySelector(".asked")?.scrollIntoView({ block: "nearest" }), [item, asked]);
  const { totals } = network.data;
  const several = times > 1;
  const row = (key) => {
    const measure = MEASURES[key];
    const all = measure.of(item);
    const exactly = measure.isRatio || all === null ? "" : exact(Math.round(all));
    return html`<tr key=${key}>
      <th scope="row">${measure.title}</th>
      ${several ? html`<td>${told(ofOne(item, key), measure)}</td>` : null}
      <td title=${exactly}>${told(all, measure)}</td>
      <td>${measure.isRatio ? "" : percent(all, totals[key])}</td></tr>`;
  };
  const keys = keysOf(item);
  return html`<section class="details" aria-label="Details" ref=${section}>
    <h2>${item.path}</h2>
    <p class="kind">${kindOf(item)}${item.count > 1 ? ` · first, each of ${item.count}` : ""}${item.training ? " · in training only" : ""}</p>
    ${item.inside === undefined ? null : html`<p class="buttons"><${Folding} item=${item} act=${act} /></p>`}
    ${children}
    <dl>
      <dt>Input</dt><dd>${facts.input || "–"}</dd>
      <dt>Output</dt><dd>${facts.output}</dd>
      <dt>Receptive field</dt><dd>${field(item.field)}</dd>
    </dl>
    <table class="figures"><thead><tr><td></td>${several ? html`<th scope="col">one</th><th scope="col">all ${times}</th>` : html`<th scope="col">of it</th>`}<th scope="col">share</th></tr></thead>
      <tbody>${Object.keys(MEASURES).map(row)}</tbody></table>
    ${heat === "memory" || item.kept === 0 ? html`<p class="note">Memory is what training keeps for the gradient; what several layers need is counted at the first of them.</p>` : null}
    ${keys.length ? html`<h3>In the <code>state_dict</code></h3>
      <ul class="keys">${keys.map(([key, shape]) => html`<li key=${key}><code>${key}</code> <span>${shape || "one number"}</span></li>`)}</ul>
      ${several ? html`<p class="note">of the first; each of ${times} has its own</p>` : null}` : null}
    <${Whys} network=${network} item=${item} act=${act} asked=${asked} />
  </section>`;
}

const field = (text) => (text === "?" ? "not known" : text === "all" ? "the whole input" : `${text} pixels`);

function Folding({ item, act }) {
  const isOpen = act.isOpen(item);
  return html`
    <button type="button" onClick=${() => act.toggle(item)}>${isOpen ? "Fold" : "Unfold"}</button>
    ${item.block ? html`<button type="button" onClick=${() => act.toggleAll(item)}>${isOpen ? "Fold" : "Unfold"} every ${item.block}</button>` : null}`;
}

// ---- why ------------------------------------------------------------------------------------------------------------

function Whys({ network, item, act, asked }) {
  const whys = whysOf(network, item).map((number) => whyOf(network, number)).filter((why) => why.name !== "block" || why.candidates[0]?.text !== why.value);
  if (!whys.length) return null;
  const isPlain = (why) => why.name !== asked && why.candidates.length === 1 && /^the default of/.test(why.candidates[0].whose) && !why.remarks.length && !why.variables.length;
  const [told, plain] = [whys.filter((why) => !isPlain(why)), whys.filter(isPlain)];
  return html`<h3>Why it is so</h3>
    ${told.map((why) => html`<${Reason} key=${why.name} network=${network} why=${why} act=${act} isOpen=${why.name === asked} first />`)}
    ${plain.length ? html`<p class="note">As by default: ${plain.map((why) => `${why.name} ${why.value}`).join(", ")}</p>` : null}`;
}

/** A parameter, its value, what was written for it, and the same for what its expression uses. */
function Reason({ network, why, act, isOpen, first }) {
  const winner = why.candidates.find((each) => each.won);
  return html`<details class=${`reason${isOpen ? " asked" : ""}`} open=${isOpen || !first}>
    <summary><b>${why.name}</b>${first || !why.block ? "" : html` of <i>${why.block}</i>`}${first || !why.path ? "" : ` at ${why.path}`} is <b>${why.value}</b>
      ${first && winner ? html` <span class="brief">${winner.text === why.value ? "" : html`<code>${winner.text}</code> · `}${marked(winner.whose)}</span>` : null}</summary>
    <ul>
      ${why.candidates.map((each, at) => html`<li key=${at} class=${each.won ? "won" : "lost"}>
        <code>${each.text}</code> ${marked(each.whose)}${each.won ? "" : " (weaker)"} <${Where} network=${network} place=${each.place} act=${act} /></li>`)}
      ${why.remarks.map((each, at) => html`<li key=${`r${at}`}>${marked(each.text)} <${Where} network=${network} place=${each.place} act=${act} /></li>`)}
    </ul>
    ${why.variables.map((number, at) => html`<${Reason} key=${at} network=${network} why=${whyOf(network, number)} act=${act} />`)}
  </details>`;
}

/** A sentence whose words in backticks are code. */
const marked = (text) => text.split("`").map((part, at) => (at % 2 ? html`<code key=${at}>${part}</code>` : part));

/** A place in a text, which shows it. */
function Where({ network, place, act }) {
  const found = placeOf(network, place);
  if (!found) return null;
  const source = network.data.sources[found.source];
  return html`<button type="button" class="place" onClick=${() => act.showPlace(found)}>${source.name}:${found.line}</button>`;
}

// ---- a whole network --------------------------------------------------------------------------------------------------

/** What a network is, and which of its layers have the most of something. */
export function Overview({ network, heat, act }) {
  const { data } = network;
  const by = heat || "parameters";
  const measure = MEASURES[by];
  const layers = network.items.filter((item) => item.inside === undefined && ofOne(item, by));
  const most = layers.sort((one, two) => ofOne(two, by) - ofOne(one, by) || one.at - two.at).slice(0, 12);
  return html`<section class="details" aria-label="Overview">
    <h2>${data.name}</h2>
    <p class="kind">${data.facts}</p>
    <dl>
      ${data.totals.inference === null ? null : html`<dt>Memory in inference</dt><dd>${abbreviate(data.totals.inference)}B at most</dd>`}
      ${data.totals.memory === null ? null : html`<dt>Memory in training</dt><dd>${abbreviate(data.totals.memory)}B kept for the gradient</dd>`}
      <dt>Receptive field</dt><dd>${field(data.totals.field)}</dd>
    </dl>
    ${most.length ? html`<h3>Layers with the most: <${Choice} heat=${by} act=${act} /></h3>
    <table class="most"><tbody>${most.map((item) => html`<tr key=${item.at}>
      <td><button type="button" class="link" onClick=${() => act.go(item)}>${item.path}</button></td>
      <td>${kindOf(item)}</td><td>${told(ofOne(item, by), measure)}${item.times > 1 ? html`<span class="times"> ×${item.times}</span>` : ""}</td></tr>`)}
    </tbody></table>` : null}
    <p class="note">Figures are for one image, as 32-bit numbers.</p>
  </section>`;
}

function Choice({ heat, act }) {
  return html`<select aria-label="Layers with the most of" value=${heat} onChange=${(event) => act.heat(event.target.value)}>
    ${Object.entries(MEASURES).map(([key, { title }]) => html`<option key=${key} value=${key} selected=${key === heat}>${title}</option>`)}</select>`;
}
