// The dialog in which one searches.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { told } from "../drawing/numbers.js";
import { MEASURES, ofOne } from "../source/network.js";
import { search } from "./search.js";

export function Search({ networks, onClose, onGo, kindOf }) {
  const dialog = useRef(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => networks.flatMap((network, side) => search(network, query).map((each) => ({ ...each, side }))), [query]);
  useLayoutEffect(() => dialog.current.showModal(), []);
  useEffect(() => dialog.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" }), [at]);
  const onKey = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setAt((before) => Math.max(0, Math.min(found.length - 1, before + (event.key === "ArrowDown" ? 1 : -1))));
    } else if (event.key === "Enter" && found[at]) {
      event.preventDefault();
      onGo(found[at].side, found[at].item, found[at].asked);
    } else if (event.key === "Escape") dialog.current.close(); // which a browser would first take to empty the field
  };
  return html`<dialog class="search" ref=${dialog} onClose=${onClose} onClick=${(event) => event.target === dialog.current && dialog.current.close()} aria-label="Search">
    <input type="search" role="combobox" aria-expanded="true" aria-controls="found" aria-autocomplete="list" aria-label="Search"
      aria-activedescendant=${found[at] ? `found-${at}` : undefined} placeholder="layer3.0.conv2, 3×3, 256×14, macs > 100M" autocomplete="off" spellcheck=${false}
      value=${query} onInput=${(event) => { setQuery(event.target.value); setAt(0); }} onKeyDown=${onKey} />
    <ul id="found" role="listbox" aria-label="Found">${found.map(({ item, asked, by, side }, number) => html`<li key=${`${side}-${item.at}`} id=${`found-${number}`} role="option"
      aria-selected=${number === at ? "true" : "false"} onClick=${() => onGo(side, item, asked)}>
      <b>${item.path}${asked ? `.${asked}` : ""}</b> <span>${asked ? "why it is so" : kindOf(item)}</span> <i>${networks.length > 1 ? `${networks[side].data.name} ` : ""}${by ? told(ofOne(item, by), MEASURES[by]) : networks.length > 1 ? "" : item.facts.output}</i></li>`)}</ul>
    <p class="note" role="status">${query.trim() ? (found.length ? `${found.length} found · ↑ ↓ Enter` : "nothing is called so") : "names, layers, shapes, or costs such as macs > 100M, memory > 2M"}</p>
  </dialog>`;
}
