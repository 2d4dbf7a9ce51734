// What differs between two networks: of the item that is chosen, else stage by stage.

import { html } from "htm/preact";
import { abbreviate, told } from "../drawing/numbers.js";
import { MEASURES } from "../source/network.js";

export const SIGNS = { changed: "▲", gone: "−", new: "+", same: "" };
const WORDS = { changed: "differs", gone: "only in the first", new: "only in the second", same: "the same" };

export function Comparison({ aligned, networks, side, item, act }) {
  return item ? html`<${OfItem} ...${{ aligned, networks, side, item, act }} />` : html`<${OfNetworks} ...${{ aligned, networks, act }} />`;
}

function OfItem({ aligned, networks, side, item, act }) {
  const other = aligned.other(side, item);
  const kind = aligned.mark(side, item) || (other ? "same" : "");
  const pair = side ? [other, item] : [item, other];
  return html`<section class="compared" aria-label="Compared">
    <h3><${Sign} kind=${kind} /> ${kind ? `${WORDS[kind]}${other ? "" : ` of both`}` : "not compared: what it is in has too little in common"}</h3>
    <${Changes} changes=${aligned.changes(side, item)} />
    ${other ? html`<p>In ${networks[1 - side].data.name}: <button type="button" class="link" onClick=${() => act.go(1 - side, other)}>${other.path}</button></p>
    <table class="stages"><thead><tr><td></td>${networks.map(({ data }, at) => html`<th scope="col" key=${at}>${data.name}</th>`)}<th scope="col">difference</th></tr></thead>
      <tbody>${Object.entries(MEASURES).map(([key, measure]) => html`<tr key=${key}><th scope="row">${measure.title}</th>
        ${pair.map((each, at) => html`<td key=${at}>${told(measure.of(each), measure)}</td>`)}<td>${difference(...pair.map(measure.of))}</td></tr>`)}</tbody></table>` : null}
  </section>`;
}

function OfNetworks({ aligned, networks, act }) {
  const totals = networks.map(({ data }) => data.totals);
  const sums = ["parameters", "macs", "activations", "memory"];
  return html`<section class="compared" aria-label="Compared">
    <h2>${networks[0].data.name} and ${networks[1].data.name}</h2>
    <p class="kind">${aligned.whole.kind === "same" ? "They are the same." : html`${["changed", "gone", "new"].map((kind) => html`<span key=${kind} class="sample"><${Sign} kind=${kind} /> ${WORDS[kind]}</span> `)}`}</p>
    <${Changes} changes=${aligned.whole.changes} />
    <table class="stages"><thead><tr><td></td>${networks.map(({ data }, at) => html`<th scope="col" key=${at}>${data.name}</th>`)}<th scope="col">difference</th></tr></thead>
      <tbody>${sums.map((key) => html`<tr key=${key}><th scope="row">${MEASURES[key].title}</th>${totals.map((each, at) => html`<td key=${at}>${told(each[key], MEASURES[key])}</td>`)}
        <td>${difference(totals[0][key], totals[1][key])}</td></tr>`)}</tbody></table>
    <h3>Stage by stage</h3>
    <table class="stages"><thead><tr><td></td><th scope="col">parameters</th><th scope="col">MACs</th></tr></thead>
    <tbody>${aligned.stages.map(({ items, kind, changes, inside }, at) => {
      const shown = items[0] ?? items[1];
      if (!shown) return null;
      const on = items[0] ? 0 : 1;
      return html`<tr><th scope="row"><${Sign} kind=${kind} /> <button type="button" class="link" onClick=${() => act.go(on, shown)}>${shown.path}</button>
        </th>${["parameters", "macs"].map((key) => html`<td key=${key}>${both(items, key)}</td>`)}</tr>
        ${kind === "changed" ? html`<tr class="more"><td colspan="3"><${Changes} changes=${changes} /><${Inside} inside=${inside} act=${act} />
          ${changes.length || inside.length ? null : html`<p class="note">by what comes in</p>`}</td></tr>` : null}`;
    })}</tbody></table>
  </section>`;
}

const MOST = 5;

/** What differs in a stage, where it does so by itself. */
function Inside({ inside, act }) {
  if (!inside.length) return null;
  return html`<ul class="changes">${inside.slice(0, MOST).map(({ item, side, kind, changes, times }, at) => html`<li key=${at}>
    <button type="button" class="link" onClick=${() => act.go(side, item)}>${item.name}</button>${times > 1 ? ` ×${times}` : ""}${kind === "changed" ? ": " : html` <${Sign} kind=${kind} />`}
    ${changes.map(([what, before, after], number) => html`<span key=${number}>${number ? ", " : ""}${what} <code>${before}</code> → <code>${after}</code></span>`)}</li>`)}
    ${inside.length > MOST ? html`<li>and ${inside.length - MOST} more</li>` : null}</ul>`;
}

/** A figure of both, or where they are equal once. */
function both(items, key) {
  const [one, other] = items.map((item) => (item ? MEASURES[key].of(item) : null));
  if (!items[0]) return `+${abbreviate(other)}`;
  if (!items[1]) return `−${abbreviate(one)}`;
  return one === other ? abbreviate(one) : html`${abbreviate(one)} → ${abbreviate(other)}<br />${difference(one, other)}`;
}

function difference(one, other) {
  if (one === null || other === null) return "";
  const by = other - one;
  return by ? `${by > 0 ? "+" : "−"}${abbreviate(Math.abs(by))}` : "–";
}

/** A kind of difference by its shape, which has its colour, too. */
function Sign({ kind }) {
  return SIGNS[kind] ? html`<b class=${`sign ${kind}`} role="img" aria-label=${WORDS[kind]}>${SIGNS[kind]}</b>` : null;
}

function Changes({ changes }) {
  if (!changes.length) return null;
  return html`<ul class="changes">${changes.map(([what, before, after, follows], at) => html`<li key=${at} class=${follows ? "follows" : ""}>
    ${what} <code>${before}</code> → <code>${after}</code>${follows ? " (it follows)" : ""}</li>`)}</ul>`;
}
