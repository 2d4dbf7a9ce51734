// The texts that a network was made of, beside the drawing: a click on a line finds what stands there.

import { html } from "htm/preact";
import { useEffect, useRef } from "preact/hooks";
import { itemsAt, placeOf } from "../source/network.js";

/** @param marked the place that is shown, {source, line}; @param lines the lines that have items, by source. */
export function Spec({ network, shown, marked, act }) {
  const { sources } = network.data;
  const list = useRef(null);
  const source = sources[shown];
  useEffect(() => {
    const line = list.current?.querySelector(".marked");
    if (line) list.current.scrollTop = line.offsetTop - list.current.clientHeight / 2;
  }, [shown, marked?.line, marked?.source]);
  if (!source) return html`<p class="note">This network has no text.</p>`;
  const move = (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...list.current.querySelectorAll("button")];
    const next = by && all[all.indexOf(event.target) + by];
    if (!next) return;
    event.preventDefault();
    event.stopPropagation();
    next.focus();
  };
  const first = source.text[0]?.[0];
  const focus = marked?.source === shown ? marked.line : first;
  return html`<section class="spec" aria-label="Spec">
    <div class="tabs" role="group" aria-label="Texts">${sources.map((each, at) => html`<button key=${at} type="button"
      aria-pressed=${at === shown ? "true" : "false"} onClick=${() => act.showSource(at)}>${each.name}</button>`)}</div>
    <div class="text" ref=${list} onKeyDown=${move} tabindex="0" role="group" aria-label=${source.name}>
      ${source.text.map(([start, lines], part) => html`
        ${part ? html`<div class="elided" key=${`e${start}`}>⋯</div>` : null}
        ${lines.map((line, at) => {
          const number = start + at;
          const isMarked = marked?.source === shown && marked.line === number;
          return html`<button key=${number} type="button" class=${`line${isMarked ? " marked" : ""}`} tabindex=${number === focus ? 0 : -1}
            aria-current=${isMarked ? "true" : undefined} onClick=${() => act.findLine(shown, number)}><span class="number">${number}</span><span class="code">${coloured(line)}</span></button>`;
        })}`)}
    </div>
  </section>`;
}

/** A line of YAML with its key and its comment apart. */
function coloured(line) {
  const match = /^(\s*(?:- )?)([\w.$-]+)(:)(\s.*)?$/.exec(line);
  const [lead, key, colon, rest] = match ? [match[1], match[2], match[3], match[4] ?? ""] : ["", "", "", line];
  const comment = /(^|\s)#.*$/.exec(rest);
  const value = comment ? rest.slice(0, comment.index) : rest;
  return [lead, key ? html`<span class="key">${key}</span>` : "", colon, value, comment ? html`<span class="comment">${comment[0]}</span>` : ""];
}

/** The items of a line, those near the one that is chosen first. */
export function nearest(network, source, line, chosen) {
  const found = itemsAt(network, source, line);
  if (!chosen) return found;
  const common = (item) => {
    let at = 0;
    while (at < item.key.length && item.key[at] === chosen.key[at]) at += 1;
    return at;
  };
  return [...found].sort((one, two) => common(two) - common(one));
}

/** Where an item stands. */
export const placeOfItem = (network, item) => placeOf(network, network.data.at[item.at]);
