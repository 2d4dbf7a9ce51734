// Adds up sizes: where everything is while some boxes are open. Columns, lanes, tracks, slots and ports are Python's.

/**
 * The places of a network's picture, as `archbuilder.page.picture.place` finds them.
 *
 * @param data what Python wrote.
 * @param isOpen tells of the key of a box whether it is open.
 * @returns frames by key, {x, y, width, height, axis}; the lines of each figure by the key of the box that it is in; the size.
 */
export function place(data, isOpen) {
  const found = arranged(data, 0, "", isOpen);
  const placed = { frames: new Map(), lines: new Map(), width: found.width, height: found.height };
  set(data, placed, found, "", 0, 0);
  return placed;
}

function arranged(data, number, path, isOpen) {
  const figure = data.figures[number];
  const inner = new Map();
  const sizes = figure.boxes.map((box, at) => {
    const key = `${path}${at}`;
    if (box.inside === undefined || !isOpen(key)) return box.size;
    inner.set(at, arranged(data, box.inside, `${key}.`, isOpen));
    return opened(data, box, inner.get(at));
  });
  return { figure, inner, ...arrange(data.plans[figure.plan], figure.edges, sizes, data.spacing) };
}

function opened({ sizes }, box, within) {
  const stack = box.count ? sizes.stack : 0;
  const head = (box.head ? box.head[1] : 0) + sizes.figure + 12;
  const wide = Math.max(within.width, head) + 2 * sizes.frame + stack;
  return [wide, within.axis + sizes.head + sizes.frame + stack, within.height - within.axis + sizes.frame];
}

function arrange(plan, edges, sizes, spacing) {
  const [gap, lane, track, margin] = spacing;
  const { laneY, trackY, height } = heights(plan, sizes, lane, track, margin);
  const { columnX, slotX, width } = widths(plan, sizes, gap, track, margin);
  const frames = sizes.map(([wide, above, below], at) => {
    const [x, room] = columnX[plan.columns[at]];
    const axis = laneY.get(plan.lanes[at]);
    const share = wide ? 0.5 : plan.columns[at] ? 1 : 0; // a line goes on to the side of its column
    return { x: x + (room - wide) * share, y: axis - above, width: wide, height: above + below, axis };
  });
  const lines = plan.ways.map(([corners, port, ports], at) => {
    const [source, target] = [frames[edges[at][0]], frames[edges[at][1]]];
    const points = [];
    corners.forEach(([x, y, onTrack, slot], number) => {
      const down = onTrack >= 0 ? trackY.get(y) + onTrack * track : laneY.get(y);
      let across;
      if (number === 0) across = source.x + source.width;
      else if (x % 1) across = slot >= 0 && slotX.has(Math.floor(x)) ? slotX.get(Math.floor(x)) + slot * track : points.at(-1)[0];
      else if (port === undefined) across = target.x;
      else across = target.x + target.width / 2 + (port - (ports - 1) / 2) * Math.min(track, target.width / (ports + 1));
      points.push([across, down]);
    });
    if (port !== undefined) points.at(-1)[1] = points.at(-2)[1] < target.axis ? target.y : target.y + target.height;
    return withoutRepeats(points);
  });
  return { frames, lines, width, height, axis: laneY.has(0) ? laneY.get(0) : height / 2 };
}

function heights(plan, sizes, between, track, margin) {
  const laneY = new Map();
  const trackY = new Map();
  const rows = new Map(plan.corridors);
  const first = Math.min(...plan.lanes);
  const last = Math.max(...plan.lanes);
  const above = new Map();
  const below = new Map();
  plan.lanes.forEach((lane, at) => {
    above.set(lane, Math.max(above.get(lane) ?? 0, sizes[at][1]));
    below.set(lane, Math.max(below.get(lane) ?? 0, sizes[at][2]));
  });
  let y = 0;
  for (let lane = first - 1; lane <= last; lane++) {
    if (lane >= first) {
      y += above.get(lane) ?? 0;
      laneY.set(lane, y);
      y += below.get(lane) ?? 0;
    }
    const count = rows.get(lane + 0.5) ?? 0;
    const outside = lane === first - 1 || lane === last;
    trackY.set(lane + 0.5, y + (lane < first ? 0 : margin));
    if (count) y += (count - 1) * track + margin * (outside ? 1 : 2);
    else if (!outside) y += between;
  }
  return { laneY, trackY, height: y };
}

function widths(plan, sizes, gap, track, margin) {
  const slots = new Map(plan.gaps);
  const count = 1 + Math.max(...plan.columns);
  const wide = new Array(count).fill(0);
  plan.columns.forEach((column, at) => (wide[column] = Math.max(wide[column], sizes[at][0])));
  const columnX = [];
  const slotX = new Map();
  let x = 0;
  wide.forEach((width, column) => {
    columnX.push([x, width]);
    x += width;
    if (column === count - 1) return;
    const rows = slots.get(column) ?? 0;
    if (rows) slotX.set(column, x + margin);
    const room = rows ? margin + (rows - 1) * track : 0;
    x += Math.max(gap, room + gap * 0.7);
  });
  return { columnX, slotX, width: x };
}

function withoutRepeats(points) {
  const clean = [];
  for (const point of points) {
    const before = clean.at(-1);
    if (before && Math.abs(before[0] - point[0]) < 0.01 && Math.abs(before[1] - point[1]) < 0.01) continue;
    if (clean.length > 1) {
      const [x, y] = clean.at(-2);
      if ((x === before[0] && x === point[0]) || (y === before[1] && y === point[1])) clean.pop();
    }
    clean.push(point);
  }
  return clean;
}

function set(data, placed, found, path, x, y) {
  placed.lines.set(
    path,
    found.lines.map((line) => line.map(([u, v]) => [x + u, y + v])),
  );
  found.frames.forEach((frame, at) => {
    const key = `${path}${at}`;
    const stack = found.figure.boxes[at].count ? data.sizes.stack : 0;
    const moved = { ...frame, x: x + frame.x, y: y + frame.y, axis: y + frame.axis, stack };
    placed.frames.set(key, moved);
    const within = found.inner.get(at);
    if (!within) return;
    const left = moved.x + (moved.width - stack - within.width) / 2;
    set(data, placed, within, `${key}.`, left, moved.axis - within.axis);
  });
}
