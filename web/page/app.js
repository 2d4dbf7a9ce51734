// The page: what it shows, and what happens when somebody does something.

import { html } from "htm/preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { MEASURES, kindOf, placeOf, wayTo } from "../source/network.js";
import { alignmentOf } from "../source/pairs.js";
import { Comparison } from "./comparison.js";
import { Help } from "./help.js";
import { Pane, mostOf } from "./pane.js";
import { Details, Overview } from "./panel.js";
import { asPng, asSvg, hand } from "./save.js";
import { Search } from "./searching.js";
import { Spec, nearest, placeOfItem } from "./spec.js";
import { THEMES, close, everything, hashOf, isOpenable, open, readHash } from "./state.js";

const NO_MARK = () => "";

export function App({ networks, pairs }) {
  const [state, setState] = useState(() => readHash(networks, location.hash));
  const [mark, setMark] = useState(null);
  const [source, setSource] = useState(0);
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  const views = useRef([]);
  const anchors = useRef([]);
  const aligned = useMemo(() => (pairs ? alignmentOf(networks, pairs) : null), []);
  const change = (what) => setState((before) => ({ ...before, ...(typeof what === "function" ? what(before) : what) }));

  useEffect(() => {
    document.documentElement.dataset.theme = state.theme;
    const write = () => {
      const hash = hashOf(networks, state);
      if (hash !== (location.hash || "#")) history.replaceState(null, "", hash);
    };
    const later = setTimeout(write, 150); // browsers refuse an address that changes with each key
    return () => clearTimeout(later);
  }, [state]);
  useEffect(() => {
    const read = () => setState(readHash(networks, location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);

  const [side, item] = state.at ?? [0, null];
  const network = networks[side];
  const others = (on, each) => (aligned ? [[1 - on, aligned.other(on, each)]].filter(([, other]) => other) : []);

  useEffect(() => {
    const place = item && placeOfItem(network, item);
    setMark(place ? { ...place, side } : null);
    if (place) setSource(place.source);
  }, [state.at]);

  /** Opens or closes items, and what belongs to them in the other network. */
  const fold = (on, items, isOpening) => {
    const first = items[0];
    if (first) anchors.current[on]?.(first.key);
    change((before) => {
      const keys = before.open.map((each) => new Set(each));
      for (const each of items) {
        for (const [at, one] of [[on, each], ...others(on, each)]) {
          if (!isOpenable(one)) continue;
          if (isOpening) open(networks[at], keys[at], one);
          else keys[at] = close(keys[at], one);
        }
      }
      let { at } = before;
      if (!isOpening && at && items.some((each) => at[0] === on && at[1].key.startsWith(`${each.key}.`))) at = [on, first];
      return { open: keys, at };
    });
  };
  const act = {
    isOpen: (each) => state.open[side].has(each.key),
    choose: (on, each, asked = "") => change({ at: each ? [on, each] : null, asked }),
    toggle: (on, each) => fold(on, [each], !state.open[on].has(each.key)),
    toggleAll: (on, each) => {
      const alike = networks[on].items.filter((one) => one.block === each.block && isOpenable(one));
      fold(on, [each, ...alike.filter((one) => one !== each)], !state.open[on].has(each.key));
    },
    go: (on, each, asked = "") => {
      change((before) => {
        const keys = before.open.map((one) => new Set(one));
        open(networks[on], keys[on], each.parent);
        for (const [at, one] of others(on, each)) open(networks[at], keys[at], one.parent);
        return { open: keys, at: [on, Object.assign(each, { isFar: true, takesFocus: true })], asked };
      });
    },
    heat: (heat) => change({ heat }),
    showPlace: (place) => {
      setMark({ ...place, side });
      setSource(place.source);
    },
    showSource: setSource,
    findLine: (at, line) => {
      const found = nearest(network, at, line, item);
      if (found.length) act.go(side, found[0]);
      setMark({ source: at, line, side });
    },
    hasView: (on, view) => (views.current[on] = view),
    anchors: (on, anchor) => (anchors.current[on] = anchor),
    moved: () => {},
    key: (on, event) => keyed(on, event),
  };
  const ofSide = { ...act, toggle: (each) => act.toggle(side, each), toggleAll: (each) => act.toggleAll(side, each), go: (each, asked) => act.go(side, each, asked) };

  const focus = (on, each) => {
    act.choose(on, Object.assign(each, { takesFocus: true }));
  };
  function keyed(on, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const here = state.at?.[0] === on ? state.at[1] : networks[on].roots[0];
    if (!here) return;
    const to = moveFrom(networks[on], here, event.key);
    if (event.key === "Enter" || event.key === " ") {
      if (state.at?.[0] !== on) focus(on, here);
      else if (isOpenable(here)) act.toggle(on, here);
    } else if (event.key === "ArrowDown" && isOpenable(here)) {
      if (!state.open[on].has(here.key)) act.toggle(on, here);
      if (here.children[0]) focus(on, here.children[0]);
    } else if (to) focus(on, state.at?.[0] === on ? to : here);
    else if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
  }

  useEffect(() => {
    const onKey = (event) => {
      if (event.target.closest?.("input, select, textarea, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
      const view = views.current[side];
      if (event.key === "/") setSearching(true);
      else if (event.key === "?") setHelping(true);
      else if (event.key === "Escape") act.choose(0, null);
      else if (event.key === "+" || event.key === "=") view.zoom(1.25);
      else if (event.key === "-") view.zoom(0.8);
      else if (event.key === "0") fit();
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });

  const fit = () => document.querySelectorAll(".drawing").forEach((svg, on) => {
    const { width, height } = svg.querySelector("[role=tree]").getBBox();
    views.current[on].fit(width, height);
  });
  const save = async (kind) => {
    const svgs = [...document.querySelectorAll(".drawing")];
    const name = networks.map(({ data }) => data.name.replace(/[^\w.-]+/g, "_").slice(0, 80)).join("-") || "network";
    const text = asSvg(svgs, networks.map(({ data }) => data.name).join(" and "));
    if (kind === "svg") hand(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`);
    else {
      const sizes = svgs.map((svg) => svg.getBoundingClientRect());
      const blob = await asPng(text, Math.max(...sizes.map((each) => each.width)), sizes.reduce((sum, each) => sum + each.height, 0));
      hand(blob, `${name}.png`);
    }
  };
  const openAll = () => change({ open: networks.map(everything) });
  const closeAll = () => change((before) => ({ open: networks.map(() => new Set()), at: before.at && [before.at[0], wayTo(before.at[1])[0]] }));

  const counterpart = (on) => {
    const other = aligned && state.at && state.at[0] !== on ? aligned.other(state.at[0], state.at[1]) : null;
    return other;
  };
  const most = useMemo(() => mostOf(networks, state.open, state.heat), [state.open, state.heat]);
  const markers = useMemo(() => networks.map((_, on) => (aligned ? (each) => aligned.mark(on, each) : NO_MARK)), []);
  return html`
    <header>
      <h1>${networks.map(({ data }) => data.name).join(" and ")}</h1>
      <div class="tools" role="toolbar" aria-label="View">
        <button type="button" class="wide" aria-haspopup="dialog" onClick=${() => setSearching(true)}>Search <kbd>/</kbd></button>
        <label>Colour by <select value=${state.heat} onChange=${(event) => act.heat(event.target.value)}>
          <option value="" selected=${!state.heat}>kind of layer</option>
          ${Object.entries(MEASURES).map(([key, { title }]) => html`<option key=${key} value=${key} selected=${key === state.heat}>${title}</option>`)}
        </select></label>
        <button type="button" onClick=${openAll}>Unfold all</button>
        <button type="button" onClick=${closeAll}>Fold all</button>
        <button type="button" aria-label="Smaller" onClick=${() => views.current.forEach((view) => view.zoom(0.8))}>−</button>
        <button type="button" aria-label="Larger" onClick=${() => views.current.forEach((view) => view.zoom(1.25))}>+</button>
        <button type="button" onClick=${fit}>Fit</button>
        <button type="button" onClick=${() => save("svg")}>Save SVG</button>
        <button type="button" onClick=${() => save("png")}>Save PNG</button>
        <button type="button" onClick=${() => change({ theme: THEMES[(THEMES.indexOf(state.theme) + 1) % 3] })}>Theme: ${state.theme}</button>
        <button type="button" aria-label="Help" onClick=${() => setHelping(true)}>?</button>
      </div>
    </header>
    <nav aria-label="Where you are"><ol class="crumbs">
      <li><button type="button" onClick=${() => act.choose(0, null)}>${network.data.name}</button></li>
      ${item ? wayTo(item).map((each) => html`<li key=${each.at}><button type="button" aria-current=${each === item ? "location" : undefined} onClick=${() => focus(side, each)}>${each.name}</button></li>`) : null}
    </ol></nav>
    <div class="panes">${networks.map((each, on) => html`<section class="pane" key=${on} aria-label=${`Drawing of ${each.data.name}`}>
      ${networks.length > 1 ? html`<h2 class="side">${each.data.name}</h2>` : null}
      <${Pane} network=${each} side=${on} open=${state.open[on]} chosen=${state.at?.[0] === on ? state.at : null}
        heat=${state.heat} most=${most} found=${counterpart(on)} markOf=${markers[on]} act=${act} /></section>`)}
      <p class="status" role="status">${state.heat ? html`${MEASURES[state.heat].title}<span class="scale">: less ${[0, 3, 6, 9].map((step) => html`<i key=${step} class=${`heat-${step}`}></i>`)} more</span>` : null}</p>
    </div>
    <aside>
      <div class="beside">${item
        ? html`<${Details} network=${network} item=${item} act=${ofSide} asked=${state.asked} heat=${state.heat}>${aligned ? html`<${Comparison} aligned=${aligned} networks=${networks} side=${side} item=${item} act=${act} />` : null}<//>`
        : aligned ? html`<${Comparison} aligned=${aligned} networks=${networks} act=${act} />`
        : html`<${Overview} network=${network} heat=${state.heat} act=${ofSide} />`}</div>
      <${Spec} key=${side} network=${network} shown=${Math.min(source, network.data.sources.length - 1)} marked=${mark?.side === side ? mark : null} act=${ofSide} />
    </aside>
    ${searching ? html`<${Search} networks=${networks} onClose=${() => setSearching(false)} onGo=${(on, each, asked) => { setSearching(false); act.go(on, each, asked); }} kindOf=${kindOf} />` : null}
    ${helping ? html`<${Help} network=${network} aligned=${aligned} onClose=${() => setHelping(false)} />` : null}`;
}

/** The item to which an arrow leads: along the way of values, out of a box, or to the ends of a figure. */
function moveFrom(network, item, key) {
  const beside = item.parent ? item.parent.children : network.roots;
  const at = beside.indexOf(item);
  if (key === "ArrowRight") return beside[at + 1];
  if (key === "ArrowLeft") return beside[at - 1];
  if (key === "ArrowUp") return item.parent;
  if (key === "Home") return beside[0];
  if (key === "End") return beside.at(-1);
  return null;
}
