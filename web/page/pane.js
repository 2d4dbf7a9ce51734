// One network in its frame: the drawing, and what moves it.

import { html } from "htm/preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Chosen, Drawing } from "../drawing/drawing.js";
import { isMeasured } from "../drawing/fonts.js";
import { told } from "../drawing/numbers.js";
import { trace } from "../drawing/trace.js";
import { Viewport } from "../drawing/viewport.js";
import { place } from "../source/place.js";
import { MEASURES, wayTo } from "../source/network.js";

const READABLE = 1.25;
const NOTHING = new Set();

export function Pane({ network, side, open, chosen, heat, most, found, markOf, act }) {
  const at = chosen && chosen[1];
  const measured = useMemo(() => isMeasured(network), [network]);
  const svg = useRef(null);
  const layer = useRef(null);
  const view = useRef(null);
  const { data } = network;
  const isOpen = (key) => open.has(key);
  const placed = useMemo(() => place(data, isOpen), [data, open]);
  const lit = useMemo(() => (at ? trace(data, at.boxKey, isOpen) : NOTHING), [data, open, at]);
  const figureOf = useMemo(() => heatOf(heat, most), [heat, most]);

  useLayoutEffect(() => {
    view.current = new Viewport(svg.current, layer.current, (now) => act.moved(side, now));
    view.current.fit(placed.width, placed.height, READABLE);
    act.hasView(side, view.current);
  }, []);

  // What was folded or unfolded stays where it was.
  const anchor = useRef(null);
  useLayoutEffect(() => {
    const kept = anchor.current;
    if (kept) {
      const now = placed.frames.get(kept.key);
      const { x, y, k } = view.current;
      if (now) view.current.to(x + (kept.x - now.x) * k, y + (kept.axis - now.axis) * k);
    }
    anchor.current = null;
  }, [placed]);
  act.anchors(side, (key) => (anchor.current = { key, ...placed.frames.get(key) }));

  useEffect(() => {
    const frame = found && frameOf(placed, data, found);
    if (frame) view.current.reveal(frame, true);
  }, [found]);
  useEffect(() => {
    if (!at) return;
    const frame = frameOf(placed, data, at);
    if (frame) view.current.reveal(frame, at.isFar);
    at.isFar = false;
  }, [chosen]);

  const parts = useMemo(() => {
    const shown = { isMeasured: measured, isOpen, figureOf, markOf, labelOf: (item, texts) => labelOf(item, texts, heat) };
    return html`<g role="tree" aria-label=${`${data.name}, drawn`} aria-orientation="horizontal">${Drawing({ network, placed, shown })}</g>`;
  }, [network, placed, figureOf, markOf]);
  const rings = [at && [frameOf(placed, data, at), "chosen"], found && [frameOf(placed, data, found), "other"]].filter((ring) => ring?.[0]);

  // What is chosen is the one item that Tab reaches.
  useLayoutEffect(() => {
    const item = at ?? network.roots[0];
    const element = item && elementOf(svg.current, item);
    if (!element) return;
    element.setAttribute("tabindex", "0");
    if (at) element.setAttribute("aria-selected", "true");
    if (at?.takesFocus) element.focus({ preventScroll: true });
    if (at) at.takesFocus = false;
    return () => {
      element.setAttribute("tabindex", "-1");
      element.removeAttribute("aria-selected");
    };
  }, [chosen, parts]);

  const itemAt = (event) => network.byKey.get(event.target.closest?.("[data-key]")?.dataset.key);
  const onClick = (event) => {
    if (view.current.moved > 4) return;
    const item = itemAt(event);
    if (!item) act.choose(side, null);
    else if (event.target.closest("[data-fold]")) act.toggle(side, item);
    else act.choose(side, item);
  };
  const onDblClick = (event) => {
    const item = itemAt(event);
    if (item?.inside !== undefined && !event.target.closest("[data-fold]")) act.toggle(side, item);
  };
  return html`<svg class="drawing" ref=${svg} onClick=${onClick} onDblClick=${onDblClick}
      onKeyDown=${(event) => act.key(side, event)} onFocusIn=${(event) => { const item = itemAt(event); if (item && item.key !== at?.key && event.target.matches(":focus-visible")) act.choose(side, item); }}>
    <g ref=${layer}>${parts}<${Chosen} network=${network} placed=${placed} lit=${lit} rings=${rings} /></g>
  </svg>`;
}

/** The element that shows an item. */
const elementOf = (svg, item) => svg.querySelector(`[data-key="${item.key}"]`);

/** Where an item is drawn; a row of a box of layers is a part of that. */
export function frameOf(placed, data, item) {
  const frame = placed.frames.get(item.boxKey);
  if (!frame || !item.isRow) return frame;
  const high = data.sizes.row;
  return { ...frame, y: frame.y + item.row * high, height: high, axis: frame.y + (item.row + 0.5) * high };
}

/** What is read on an item, then which it is and what of it is not written there. */
function labelOf(item, texts, heat) {
  const words = [`${texts.filter(Boolean).join(" ")}: ${item.path}`];
  if (item.count > 1) words.push(`${item.count} times`);
  if (heat) words.push(`by ${MEASURES[heat].title}`);
  return `${words.join(", ")}, gives ${item.facts.output}`;
}

/** How much a box has as it is drawn: with its own repeats, and not those of what it is in. */
function valueOf(item, heat) {
  const all = MEASURES[heat].of(item);
  return all === null || MEASURES[heat].isRatio ? all : all / item.around;
}

/** The most that an item has of those that are seen closed, in all networks: colours mean the same in each. */
export function mostOf(networks, open, heat) {
  if (!heat) return 0;
  const isShown = (side, item) => !open[side].has(item.key) && wayTo(item).every((each) => each === item || open[side].has(each.key));
  const shown = networks.flatMap((network, side) => network.items.filter((item) => isShown(side, item)));
  return shown.reduce((most, item) => Math.max(most, valueOf(item, heat) ?? 0), 0);
}

/** What is written on each item, and how hot it is: its share of the most, by the root so that less shows too. */
function heatOf(heat, most) {
  if (!heat) return () => null;
  return (item) => {
    const value = valueOf(item, heat);
    const step = !most || value === null ? 0 : Math.min(9, Math.floor(Math.sqrt(value / most) * 9.999));
    return { text: value === 0 ? "–" : told(value, MEASURES[heat]), step };
  };
}
