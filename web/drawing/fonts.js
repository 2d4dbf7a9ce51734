// Whether texts come out as wide as they were measured: they do where there is a font with the metrics of Arial.

const FAMILY = 'Arial, Arimo, "Liberation Sans", Helvetica, sans-serif';
const SIZE = 6.4;

/** Whether this machine's font gives texts the widths that Python measured; else each text must be told its own. */
export function isMeasured({ data, text }) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `bold 100px ${FAMILY}`;
  return data.figures
    .flatMap(({ boxes }) => boxes.map((box) => box.head))
    .filter((head) => head && /^[\x20-\x7e]{4,}$/.test(text(head[0])))
    .slice(0, 3)
    .every(([string, wide]) => Math.abs((pen.measureText(text(string)).width * SIZE) / 100 - wide) < 0.02 * wide);
}
