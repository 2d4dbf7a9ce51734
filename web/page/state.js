// What a page shows, and the same as an address: which boxes are open, which item is chosen, by what the drawing is coloured.

import { within } from "../source/network.js";

export const THEMES = ["auto", "light", "dark"];

/** The state with which a page begins: nothing is open. */
export const begin = (networks) => ({ open: networks.map(() => new Set()), at: null, heat: "", theme: "auto", asked: "" });

/** The state as an address says it. */
export function readHash(networks, hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const state = begin(networks);
  networks.forEach((network, side) => {
    const all = said.get(`open${side || ""}`);
    if (all === "all") state.open[side] = everything(network);
    else for (const id of all?.split("|") ?? []) open(network, state.open[side], network.byId.get(decoded(id)));
    const item = network.byId.get(decoded(said.get(`at${side || ""}`) ?? "\0"));
    if (item) {
      state.at = [side, item];
      open(network, state.open[side], item.parent);
    }
  });
  state.heat = said.get("heat") ?? "";
  state.asked = said.get("why") ?? "";
  state.theme = THEMES.includes(said.get("theme")) ? said.get("theme") : "auto";
  return state;
}

/** The address of a state. */
export function hashOf(networks, state) {
  const said = new URLSearchParams();
  if (state.at) said.set(`at${state.at[0] || ""}`, coded(state.at[1].id));
  networks.forEach((network, side) => {
    const keys = state.open[side];
    if (!keys.size) return;
    const items = [...keys].map((key) => network.byKey.get(key)).sort((one, two) => one.at - two.at);
    const all = keys.size > 60 && items.length === [...within(network.roots)].filter(isOpenable).length;
    said.set(`open${side || ""}`, all ? "all" : items.map((item) => coded(item.id)).join("|"));
  });
  if (state.heat) said.set("heat", state.heat);
  if (state.asked) said.set("why", state.asked);
  if (state.theme !== "auto") said.set("theme", state.theme);
  return `#${said}`;
}

const coded = (id) => id.replaceAll("%", "%25").replaceAll("|", "%7C");
const decoded = (id) => id.replaceAll("%7C", "|").replaceAll("%25", "%");

export const isOpenable = (item) => item.inside !== undefined;

/** Every box that can be opened. */
export const everything = (network) => new Set([...within(network.roots)].filter(isOpenable).map((item) => item.key));

/** Opens an item and all that it is in. */
export function open(network, keys, item) {
  for (let each = item; each; each = each.parent) if (isOpenable(each)) keys.add(each.key);
}

/** What of some open boxes can be seen: those in closed ones are forgotten. */
export function close(keys, item) {
  return new Set([...keys].filter((key) => key !== item.key && !key.startsWith(`${item.key}.`)));
}
