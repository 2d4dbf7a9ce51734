// What keys do, and what colours and lines mean.

import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";

const KEYS = [
  ["← →", "the step before, the next step"], ["↓", "into a box, which is unfolded"], ["↑", "out of it"], ["Enter", "unfold or fold"],
  ["Home End", "the first, the last step in a box"], ["/", "search"], ["Esc", "choose nothing"], ["+ − 0", "larger, smaller, all of it"], ["?", "this"],
];
const ROLES = { convolution: "convolution", linear: "linear", norm: "norm", activation: "activation", pool: "pooling, resampling", attention: "attention", stem: "stem", stage: "stage", neck: "neck", head: "head" };
const LINES = { identity: "identity shortcut", projection: "projection shortcut", plain: "shortcut without parameters" };

export function Help({ network, aligned, onClose }) {
  const dialog = useRef(null);
  useLayoutEffect(() => dialog.current.showModal(), []);
  const { data } = network;
  const roles = new Set(data.figures.flatMap(({ boxes }) => boxes.flatMap((box) => [data.roles[box.role], ...(box.rows ?? []).map(([role]) => data.roles[role])])));
  const kinds = new Set(data.figures.flatMap(({ edges }) => edges.map(([, , kind]) => data.kinds[kind])));
  return html`<dialog class="help" ref=${dialog} onClose=${onClose} aria-label="Help">
    <h2>How to walk through</h2>
    <p>A click chooses a box and lights its way; a click on its ▸, a double click or Enter unfolds it. Drag to move, turn the wheel to come nearer.</p>
    <dl class="keys">${KEYS.map(([key, what]) => html`<dt key=${key}>${key.split(" ").map((each) => html`<kbd key=${each}>${each}</kbd> `)}</dt><dd>${what}</dd>`)}</dl>
    <h2>What is what</h2>
    <ul class="legend">${Object.entries(ROLES).filter(([role]) => roles.has(role)).map(([role, what]) => html`<li key=${role}><svg width="22" height="14" aria-hidden="true"><rect class=${`box role-${role}`} x="1" y="1" width="20" height="12" rx="2" /></svg> ${what}</li>`)}
      ${Object.entries(LINES).filter(([kind]) => kinds.has(kind)).map(([kind, what]) => html`<li key=${kind}><svg width="22" height="14" aria-hidden="true"><path class=${`edge ${kind}`} d="M1 7h20" /></svg> ${what}</li>`)}
      <li><svg width="22" height="16" aria-hidden="true"><rect class="box" x="4" y="1" width="16" height="10" rx="2" /><rect class="box" x="1" y="4" width="16" height="10" rx="2" /></svg> repeats, with weights of their own</li>
      ${aligned ? html`<li><b class="sign changed">▲</b> differs</li><li><b class="sign gone">−</b> only in the first</li><li><b class="sign new">+</b> only in the second</li>` : null}</ul>
    <button type="button" onClick=${() => dialog.current.close()}>Close</button>
  </dialog>`;
}
