// Numbers as people read them, in three figures, as `archbuilder.analysis.numbers` writes them.

const LETTERS = ["", "K", "M", "G", "T", "P", "E"];

/** A count in three figures: "25.6 M"; "?" where it is not known. */
export function abbreviate(count) {
  if (count === null || count === undefined) return "?";
  let power = 0;
  while (power < 6 && count >= (power ? 999.5 * 1000 ** power : 1000)) power += 1;
  return power ? `${figures(count / 1000 ** power)} ${LETTERS[power]}` : Number.isInteger(count) ? `${count}` : figures(count);
}

/** A number in three figures. */
export function figures(value) {
  const digits = [99.95, 9.995, 0.9995].filter((bound) => value < bound).length;
  return value === 0 ? "0" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A count with all its digits: "25,557,032". */
export const exact = (count) => (count === null || count === undefined ? "not known" : count.toLocaleString("en"));

/** A part of a whole: "12.3 %". */
export function percent(part, whole) {
  if (part === null || !whole) return "";
  const share = (100 * part) / whole;
  return share > 0 && share < 0.1 ? "<0.1 %" : `${share.toFixed(1)} %`;
}

/** What a measure says, in a few letters. */
export function told(value, measure) {
  if (value === null || value === undefined) return "?";
  if (measure.isRatio) return `${figures(value)} /B`;
  const text = abbreviate(value);
  return measure.unit ? (value >= 1000 ? `${text}${measure.unit}` : `${text} ${measure.unit}`) : text;
}
