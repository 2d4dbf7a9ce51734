// The way of values through an item: from the port where each comes from, to the ports where it goes, through frames that are open.

/** The lines that lead to and from a box: "PATH#NUMBER" for lines, "PATH>NUMBER" for the stubs between a frame and what is in it. */
export function trace(data, boxKey, isOpen) {
  const lit = new Set();
  const [figures, prefix, number] = find(data, boxKey);
  follow(data, lit, figures, prefix, number, isOpen, true);
  follow(data, lit, figures, prefix, number, isOpen, false);
  return lit;
}

/** The figures on the way to a box, from the network in, with the numbers of the boxes by which the way leads. */
function find(data, boxKey) {
  const numbers = boxKey.split(".").map(Number);
  const figures = [0];
  for (const number of numbers.slice(0, -1)) figures.push(data.figures[figures.at(-1)].boxes[number].inside);
  return [figures, numbers.slice(0, -1), numbers.at(-1)];
}

function follow(data, lit, figures, way, number, isOpen, back) {
  const path = way.map((each) => `${each}.`).join("");
  const figure = data.figures[figures.at(-1)];
  figure.edges.forEach(([source, target], at) => {
    if ((back ? target : source) !== number) return;
    lit.add(`${path}#${at}`);
    const other = back ? source : target;
    const box = figure.boxes[other];
    if (box.end && way.length && !box.name) {
      if (lit.has(`${path}>${other}`)) return;
      lit.add(`${path}>${other}`);
      follow(data, lit, figures.slice(0, -1), way.slice(0, -1), way.at(-1), isOpen, back);
    } else if (box.inside !== undefined && isOpen(`${path}${other}`)) {
      enter(data, lit, box.inside, `${path}${other}.`, isOpen, back);
    }
  });
}

/** Inside an open box, the lines to where its value leaves, or from where values enter. */
function enter(data, lit, number, path, isOpen, back) {
  const figure = data.figures[number];
  figure.edges.forEach(([source, target], at) => {
    const [end, other] = back ? [target, source] : [source, target];
    if (!figure.boxes[end].end || figure.boxes[end].name) return;
    lit.add(`${path}#${at}`);
    lit.add(`${path}>${end}`);
    const box = figure.boxes[other];
    if (box.inside !== undefined && isOpen(`${path}${other}`)) enter(data, lit, box.inside, `${path}${other}.`, isOpen, back);
  });
}
