// A network as a page reads it: the data that Python wrote, and what one can look at in it.
//
// This is a source: it gives pictures and facts, and draws nothing. An editor may put another one in its place.

/** What one can colour a drawing by. `of` gives how much an item has, all its repeats together; null where it is not known. */
export const MEASURES = {
  parameters: { title: "Parameters", of: (item) => item.facts.parameters * item.around },
  macs: { title: "MACs", of: (item) => known(item.facts.macs, item.training ? 0 : item.around) },
  activations: { title: "Activations", of: (item) => known(item.facts.activations, item.training ? 0 : item.around) },
  memory: { title: "Memory in training", of: (item) => item.kept, unit: "B" },
  intensity: { title: "MACs per byte", of: (item) => ratio(item), isRatio: true },
};

const known = (count, times) => (count === null ? null : count * times);
const ratio = (item) => {
  const { macs, bytes } = item.facts;
  return macs === null ? null : bytes ? macs / bytes : 0;
};

/** How much one of an item's repeats has. */
export function ofOne(item, measure) {
  const all = MEASURES[measure].of(item);
  return all === null || MEASURES[measure].isRatio ? all : all / item.times;
}

/** The network that some data describes. */
export function networkOf(data) {
  const network = { data, items: [], roots: [], byKey: new Map(), byId: new Map(), byPath: new Map() };
  const text = (number) => data.strings[number];
  network.text = text;
  network.boxOf = (item) => data.figures[item.figure].boxes[item.number];
  add(network, 0, "", null, "", 1, false);
  for (const item of network.items) {
    let id = item.path.length > 200 ? `n${item.at}` : item.path;
    while (network.byId.has(id)) id += "~";
    item.id = id;
    network.byId.set(id, item);
    if (!network.byPath.has(item.path)) network.byPath.set(item.path, item);
  }
  return network;
}

function add(network, figure, prefix, parent, path, around, training) {
  const { data } = network;
  data.figures[figure].boxes.forEach((box, number) => {
    if (box.end || !box.of?.length) return;
    const boxKey = `${prefix}${number}`;
    const quiet = training || Boolean(box.training);
    box.of.forEach(([record, name, count], row) => {
      const own = network.text(name);
      const full = box.part ? own : path + own;
      const isRow = box.inside === undefined && !box.sign;
      const item = {
        at: network.items.length, key: isRow ? `${boxKey}:${row}` : boxKey, boxKey, figure, number, row, isRow, parent,
        name: own, path: full, count, around, times: around * count, training: quiet, children: [], level: parent ? parent.level + 1 : 1,
        block: box.block === undefined ? "" : network.text(box.block), inside: box.inside,
        facts: factsOf(data, record), kept: data.kept[network.items.length],
        field: network.text(data.fields[network.items.length]),
      };
      network.items.push(item);
      network.byKey.set(item.key, item);
      (parent ? parent.children : network.roots).push(item);
      if (box.inside !== undefined) {
        add(network, box.inside, `${boxKey}.`, item, box.part ? path : `${full}.`, around * count, quiet);
      }
    });
  });
}

function factsOf(data, record) {
  const [label, kind, input, output, parameters, buffers, macs, activations, bytes, tensors] = data.records[record];
  return {
    label, kind, input: data.shapes[input], output: data.shapes[output], parameters, buffers, macs, activations, bytes,
    tensors: data.tensors[tensors],
  };
}

/** An item and those that it is in, the outermost first. */
export function wayTo(item) {
  const way = [];
  for (let each = item; each; each = each.parent) way.unshift(each);
  return way;
}

/** All items in some, each before what is in it. */
export function* within(items) {
  for (const item of items) {
    yield item;
    yield* within(item.children);
  }
}

/** What an item is, in a few words. */
export const kindOf = (item) => item.facts.label || (item.children.length ? `${item.children.length} steps` : "");

/** The keys under which an item's tensors stand in the `state_dict`, with their shapes. */
export const keysOf = (item) => item.facts.tensors.map(([name, shape]) => [name ? `${item.path}.${name}` : item.path, shape]);

/** Why the parameters of an item are what they are. */
export const whysOf = (network, item) => network.data.lists[network.data.why[item.at]];

/** An explanation as it is told. */
export function whyOf(network, number) {
  const [name, value, block, path, candidates, remarks, variables] = network.data.whys[number];
  const { text } = network;
  return {
    name: text(name), value: text(value), block: text(block), path: text(path), variables,
    candidates: candidates.map(([said, place, whose, won]) => ({ text: text(said), place, whose: text(whose), won: won === 1 })),
    remarks: remarks.map(([said, place]) => ({ text: text(said), place })),
  };
}

/** Where an item stands in a text: {source, line, column, end}; null if nowhere. */
export function placeOf(network, number) {
  const place = number >= 0 ? network.data.places[number] : null;
  return place && { source: place[0], line: place[1], column: place[2], end: place[3] };
}

/** The items that stand in a line of a text, or in the nearest line before it that has some. */
export function itemsAt(network, source, line) {
  let best = 0;
  let found = [];
  for (const item of network.items) {
    const place = placeOf(network, network.data.at[item.at]);
    if (!place || place.source !== source || place.line > line || place.line < best) continue;
    if (place.line > best) found = [];
    best = place.line;
    found.push(item);
  }
  return found;
}
