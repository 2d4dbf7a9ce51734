// Which item of one network is which of another one, as Python found it.

import { within } from "./network.js";

const KINDS = { gone: [0, "gone"], new: [1, "new"] };

/** Notes what differs somewhere in a stage; what differs alike in several places is noted once, with how often it does. */
function addTo(inside, one, other, kind, changes) {
  const item = one ?? other;
  const key = JSON.stringify([item.name, kind, changes]);
  const known = inside.find((each) => each.key === key);
  if (known) known.times += 1;
  else inside.push({ key, item, side: one ? 0 : 1, kind, changes, times: 1 });
}

/**
 * @param networks two networks; @param rows a row for each pair, [depth, item, item, kind, changes].
 * @returns what belongs to an item in the other network (`other`), what is to be marked on it (`mark`), and how it differs
 *   (`changes`); `stages` are the rows of the outermost steps, with what differs `inside`, `whole` is that of the networks.
 */
export function alignmentOf(networks, rows) {
  const pairs = [new Map(), new Map()];
  const kinds = [new Map(), new Map()];
  const changed = [new Map(), new Map()];
  const stages = [];
  const note = (side, item, kind, changes) => {
    if (!item) return;
    kinds[side].set(item, kind);
    if (changes?.length) changed[side].set(item, changes);
  };
  const join = (one, other) => {
    pairs[0].set(one, other);
    pairs[1].set(other, one);
  };
  const alike = networks[0].roots.map((item, at) => [1, item.at, networks[1].roots[at]?.at, "same", []]);
  let told = Infinity; // in what is another block altogether, nothing more is listed
  for (const [depth, a, b, kind, changes, follows] of rows[0][3] === "same" ? alike : rows) {
    const [one, other] = [networks[0].items[a], networks[1].items[b]];
    const own = changes.filter(([, , , derived]) => !derived);
    if (depth === 1) stages.push({ items: [one, other], kind, changes, inside: [] });
    else if (depth <= told && (one || other) && (own.length || (KINDS[kind] && !follows))) {
      addTo(stages.at(-1).inside, one, other, kind, own);
    }
    if (depth <= told || depth === 1) told = own.some(([what]) => what === "block") ? depth : Infinity;
    if (one && other) join(one, other);
    note(0, one, kind, changes);
    note(1, other, kind, changes);
    if (kind === "same" && one && other) {
      const [ours, theirs] = [one, other].map((each) => [...within(each.children)]);
      if (ours.length === theirs.length) ours.forEach((each, at) => join(each, theirs[at]));
    } else if (KINDS[kind]) {
      const [side, word] = KINDS[kind];
      for (const each of within([one, other][side]?.children ?? [])) note(side, each, word);
    }
  }
  return {
    stages,
    whole: { kind: rows[0][3], changes: rows[0][4] },
    other: (side, item) => pairs[side].get(item),
    mark: (side, item) => {
      const kind = kinds[side].get(item) ?? "same";
      return kind === "same" ? "" : kind;
    },
    changes: (side, item) => changed[side].get(item) ?? [],
  };
}
