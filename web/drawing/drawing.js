// Draws a picture: what is placed, as SVG. It knows nothing of where a picture comes from, and keeps nothing.

import { html } from "htm/preact";

const ROWS = { pad: 5 };

/**
 * A network, or what is open of it. What is chosen in it is no part of this, so that choosing something else draws nothing anew.
 *
 * @param network what `networkOf` gives.
 * @param placed what `place` gives.
 * @param shown what is to be seen of it: isMeasured, whether texts are as wide as they should be by themselves; isOpen(key); figureOf(item), a text and a step of heat from 0 to 9, or null;
 *   markOf(item), "changed" | "gone" | "new" | ""; labelOf(item, texts), its name for those who do not see it,
 *   in which are the texts that others see.
 */
export function Drawing({ network, placed, shown }) {
  const parts = [];
  figure({ network, placed, shown, parts }, 0, "", null);
  return parts;
}

/** The ways of a chosen item and rings around some, which lie over a drawing. */
export function Chosen({ network, placed, lit, rings }) {
  const { d, heads } = pathOf(placed, network.data, [...lit].map((id) => id.split(/(?=[#>])/)).map(([path, id]) => (id ? [path, id] : ["", path])));
  return html`<g class="lit" aria-hidden="true"><path class="edge" d=${d} /><path class="arrow" d=${heads} />
    ${rings.map(([frame, what]) => html`<rect key=${what} class=${`ring ${what}`} x=${frame.x - 1.6} y=${frame.y - 1.6} width=${frame.width + 3.2} height=${frame.height + 3.2} rx="4" />`)}</g>`;
}

/** Some lines as one: what is drawn, and the heads of those that end in something that is seen. */
function pathOf(placed, data, ids) {
  let [d, heads] = ["", ""];
  for (const [path, id] of ids) {
    const number = Number(id.slice(1));
    const figure = figureAt(data, path);
    if (id[0] === ">") d += stub(placed, figure, path, number);
    else {
      const points = placed.lines.get(path)?.[number];
      if (!points) continue;
      d += rounded(points);
      if (!figure.boxes[figure.edges[number][1]].end) heads += head(points);
    }
  }
  return { d, heads };
}

function figureAt(data, path) {
  let figure = data.figures[0];
  for (const number of path.split(".").slice(0, -1)) figure = data.figures[figure.boxes[number].inside];
  return figure;
}

/** The line between the frame of an open box and what is in it. */
function stub(placed, figure, path, at) {
  const end = placed.frames.get(`${path}${at}`);
  const frame = placed.frames.get(path.slice(0, -1));
  if (!end || !frame) return "";
  const isExit = figure.edges.some(([, target]) => target === at);
  return isExit ? `M${round(end.x)} ${round(end.axis)}H${round(frame.x + frame.width - frame.stack)}` : `M${round(frame.x)} ${round(end.axis)}H${round(end.x)}`;
}

function head(points) {
  const [[u, v], [x, y]] = points.slice(-2).map((point) => point.map(round));
  if (v === y) return `M${x} ${y}l${u < x ? -5 : 5} -2.3v4.6z`;
  return `M${x} ${y}l-2.3 ${v < y ? -5 : 5}h4.6z`;
}

function figure(context, number, path) {
  const { network, placed, parts } = context;
  const { data } = network;
  const { boxes, edges } = data.figures[number];
  const ids = new Map();
  edges.forEach(([, , kind], at) => ids.set(kind, [...(ids.get(kind) ?? []), [path, `#${at}`]]));
  const [main, ...others] = [0, ...[...ids.keys()].filter((kind) => kind)];
  const stubs = path ? boxes.flatMap((box, at) => (box.end && !box.name ? [[path, `>${at}`]] : [])) : [];
  let allHeads = "";
  const lines = [main, ...others].map((kind) => {
    const { d, heads } = pathOf(placed, data, [...(ids.get(kind) ?? []), ...(kind ? [] : stubs)]);
    allHeads += heads;
    return d ? html`<path key=${kind} class=${`edge ${data.kinds[kind]}`} d=${d} />` : null;
  });
  if (edges.length) parts.push(html`<g key=${`${path}#`} aria-hidden="true">${lines}<path class="arrow" d=${allHeads} /></g>`);
  boxes.forEach((box, at) => drawBox(context, box, `${path}${at}`, number, at));
}

function drawBox(context, box, key, number, at) {
  const { network, placed, shown, parts } = context;
  const frame = placed.frames.get(key);
  const { data } = network;
  const role = data.roles[box.role];
  if (box.end) {
    if (box.name) parts.push(label(context, `${key}n`, box.name, frame.x + 2, frame.axis + 2.2, `quiet${box.training ? " training" : ""}`));
    return;
  }
  if (box.inside !== undefined) {
    const item = network.byKey.get(key);
    if (shown.isOpen(key)) openBox(context, item, box, key, frame);
    else parts.push(itemOf(context, item, closedBox(context, item, box, frame, role), frame, textsOf(context, item, box)));
    return;
  }
  if (box.sign) {
    const item = network.byKey.get(key);
    const middle = frame.x + frame.width / 2;
    parts.push(
      itemOf(context, item, html`
        <circle class="box front combine" cx=${middle} cy=${frame.axis} r=${frame.width / 2} />
        <text class="sign" x=${round(middle)} y=${round(frame.axis + 3.4)}>${box.sign} </text>`, frame, [box.sign]),
    );
    return;
  }
  layers(context, box, key, frame);
}

/** Layers that follow each other, a row each. */
function layers(context, box, key, frame) {
  const { network, parts, shown } = context;
  const { data } = network;
  const high = data.sizes.row;
  (box.rows ?? []).forEach(([role, text, wide, shape, room], row) => {
    const item = network.byKey.get(`${key}:${row}`);
    const y = frame.y + row * high;
    const place = { x: frame.x, y, width: frame.width, height: high, axis: y + high / 2 };
    const told = item && shown.figureOf(item);
    const body = html`
      <rect class=${`box front role-${data.roles[role]}${told ? ` heat-${told.step}` : ""}${box.training ? " training" : ""}`}
        x=${frame.x} y=${y + 0.5} width=${frame.width} height=${high - 1} rx="2.2" />
      ${words(shown, network.text(text), wide, frame.x + ROWS.pad, y + 8.2, `text-${data.roles[role]}${row ? "" : " bold"}${told ? ` on-${told.step}` : ""}`)}
      ${told ? words(shown, told.text, 0, frame.x + frame.width - ROWS.pad, y + 8.2, `number on-${told.step}`, "end")
             : room ? words(shown, network.text(shape), room, frame.x + frame.width - ROWS.pad, y + 8.2, `shape text-${data.roles[role]}`, "end") : null}`;
    parts.push(item ? itemOf(context, item, body, place, [network.text(text), told ? told.text : network.text(shape)]) : html`<g key=${`${key}:${row}`} aria-hidden="true">${body}</g>`);
  });
}

function closedBox({ network, shown }, item, box, frame, role) {
  const { data } = network;
  const { stack } = data.sizes;
  const shift = box.count ? stack : 0;
  const told = shown.figureOf(item);
  const classes = `box front role-${role}${told ? ` heat-${told.step}` : ""}${box.training ? " training" : ""}`;
  const front = { x: frame.x, y: frame.y + shift, width: frame.width - shift, height: frame.height - shift };
  const cards = shift ? [shift, shift / 2] : [];
  const on = told ? ` on-${told.step}` : "";
  let y = front.y + 3;
  const next = (high) => (y += high);
  return html`
    ${cards.map((by) => html`<rect class=${`box role-${role}`} x=${front.x + by} y=${front.y - by} width=${front.width} height=${front.height} rx="3" />`)}
    <rect class=${classes} x=${front.x} y=${front.y} width=${front.width} height=${front.height} rx="3" />
    ${words(shown, network.text(box.name[0]), box.name[1], front.x + ROWS.pad + 8, next(7.4), `name text-${role}${on}`)}
    <g class="fold" data-fold="1">
      <rect class="ground" x=${front.x} y=${front.y} width="14" height="13" />
      <path class=${`chevron text-${role}${on}`} d=${`M${front.x + 5} ${y - 5.2}l3.2 2.7l-3.2 2.7z`} />
    </g>
    ${box.lines.map(([text, wide]) => words(shown, network.text(text), wide, front.x + ROWS.pad, next(data.sizes.line), `text-${role}${on}`))}
    ${box.thumbnail === undefined ? null : thumbnail(data, data.thumbnails[box.thumbnail], front, y + 3)}
    ${told ? words(shown, told.text, 0, front.x + front.width - ROWS.pad, front.y + front.height - 3.6, `number${on}`, "end")
           : box.figure ? words(shown, network.text(box.figure[0]), box.figure[1], front.x + front.width - ROWS.pad, front.y + front.height - 3.6, `shape text-${role}`, "end") : null}`;
}

/** The texts on a closed box. */
function textsOf({ network, shown }, item, box) {
  const told = shown.figureOf(item);
  const figure = told ? told.text : box.figure ? network.text(box.figure[0]) : "";
  return [network.text(box.name[0]), ...box.lines.map(([text]) => network.text(text)), figure];
}

function thumbnail(data, [wide, , shapes], front, y) {
  const x = front.x + (front.width - wide) / 2;
  return html`<g class="thumbnail" transform=${`translate(${x} ${y})`}>${shapes.map((shape) => {
    const [what, ...rest] = shape;
    if (what === "line") {
      const [dash, width, ...points] = rest;
      return html`<polyline class=${`edge ${dash}`} points=${points.join(" ")} stroke-width=${width} />`;
    }
    if (what === "circle") return html`<circle class="box combine" cx=${rest[0]} cy=${rest[1]} r=${rest[2]} />`;
    return html`<rect class=${`box role-${what}`} x=${rest[0]} y=${rest[1]} width=${rest[2]} height=${rest[3]} rx="1" />`;
  })}</g>`;
}

/** A box with what is in it, under its name. */
function openBox(context, item, box, key, frame) {
  const { network, parts, shown } = context;
  const { data } = network;
  const shift = box.count ? data.sizes.stack : 0;
  const front = { x: frame.x, y: frame.y + shift, width: frame.width - shift, height: frame.height - shift };
  const told = shown.figureOf(item);
  const cards = shift ? [shift, shift / 2] : [];
  const body = html`
    ${cards.map((by) => html`<rect class="box frame" x=${front.x + by} y=${front.y - by} width=${front.width} height=${front.height} rx="4" />`)}
    <rect class=${`box frame front${box.training ? " training" : ""}`} x=${front.x} y=${front.y} width=${front.width} height=${front.height} rx="4" />
    ${words(shown, network.text(box.head[0]), box.head[1], front.x + 15, front.y + 9.4, "head")}
    <g class="fold" data-fold="1">
      <rect class="ground" x=${front.x} y=${front.y} width="14" height="13" />
      <path class="chevron" d=${`M${front.x + 4.6} ${front.y + 5}h5.6l-2.8 3.4z`} />
    </g>
    ${told ? words(shown, told.text, 0, front.x + front.width - ROWS.pad, front.y + 9.4, "number", "end") : null}`;
  parts.push(itemOf(context, item, body, frame, [network.text(box.head[0]), told?.text]));
  figure(context, box.inside, `${key}.`);
}

/** What one can choose, with its body: a tree's item, whatever it looks like. */
function itemOf({ shown }, item, body, frame, said) {
  const mark = shown.markOf(item);
  return html`<g key=${item.key} class=${`item${mark ? ` ${mark}` : ""}`} role="treeitem" data-key=${item.key} tabindex="-1" aria-level=${item.level}
      aria-expanded=${item.inside === undefined ? undefined : shown.isOpen(item.key) ? "true" : "false"} aria-label=${shown.labelOf(item, said)}>
    ${body}${mark ? marking(mark, frame) : null}
  </g>`;
}

/** A mark that is a shape, too, so that it needs no colour: a triangle for what changed, a plus and a minus for what is there on
 * one side only. */
function marking(mark, frame) {
  const [x, y] = [frame.x + frame.width, frame.y];
  const shape = { changed: `M${x - 4} ${y + 3}h8l-4 -7z`, new: `M${x - 4} ${y - 1}h8M${x} ${y - 5}v8`, gone: `M${x - 4} ${y - 1}h8` }[mark];
  return html`<circle class="mark-ground" cx=${x} cy=${y - 0.8} r="5.6" /><path class=${`mark ${mark}`} d=${shape} />`;
}

function label({ network, shown }, key, [text, wide], x, y, classes) {
  return html`<g key=${key} aria-hidden="true">${words(shown, network.text(text), wide, x, y, classes)}</g>`;
}

/** A text that takes the room for which it was measured, whichever font a viewer has. The blank behind it keeps it from the next. */
function words(shown, text, wide, x, y, classes, anchor) {
  return html`<text class=${anchor ? `${classes} end` : classes} x=${round(x)} y=${round(y)} textLength=${wide > 0 && !shown.isMeasured ? wide : undefined}>${text} </text>`;
}

const round = (value) => Math.round(value * 100) / 100;

/** A line through some points, its corners rounded. */
export function rounded(points, radius = 3) {
  let d = `M${round(points[0][0])} ${round(points[0][1])}`;
  for (let at = 1; at < points.length - 1; at++) {
    const [before, here, after] = [points[at - 1], points[at], points[at + 1]];
    const near = towards(here, before, radius);
    const far = towards(here, after, radius);
    d += `L${round(near[0])} ${round(near[1])}Q${round(here[0])} ${round(here[1])} ${round(far[0])} ${round(far[1])}`;
  }
  const [x, y] = points.at(-1);
  return `${d}L${round(x)} ${round(y)}`;
}

function towards([x, y], [u, v], radius) {
  const length = Math.hypot(u - x, v - y);
  const by = length ? Math.min(radius, length / 2) / length : 0;
  return [x + (u - x) * by, y + (v - y) * by];
}
