// Saves what is seen as a file of its own: an SVG whose colours are written out, or the same as a PNG.

const PAINT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "font-family", "font-size", "font-weight", "text-anchor", "opacity"];
const LONGEST = 8000;

/** The drawing in `svg` as the text of a file; where there are several, under each other. */
export function asSvg(svgs, title) {
  const sizes = svgs.map((svg) => svg.getBoundingClientRect());
  const wide = Math.max(...sizes.map((size) => size.width));
  const high = sizes.reduce((sum, size) => sum + size.height, 0);
  const root = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  set(root, { xmlns: "http://www.w3.org/2000/svg", width: wide, height: high, viewBox: `0 0 ${wide} ${high}` });
  const name = root.appendChild(document.createElementNS(root.namespaceURI, "title"));
  name.textContent = title;
  const ground = root.appendChild(document.createElementNS(root.namespaceURI, "rect"));
  set(ground, { width: wide, height: high, fill: getComputedStyle(document.body).backgroundColor });
  let y = 0;
  svgs.forEach((svg, at) => {
    const copy = svg.cloneNode(true);
    paint(svg, copy);
    for (const each of copy.querySelectorAll(".ring, .ground")) each.remove();
    for (const attribute of ["class", "id", "tabindex", "role"]) copy.removeAttribute(attribute);
    set(copy, { x: 0, y, width: sizes[at].width, height: sizes[at].height });
    root.appendChild(copy);
    y += sizes[at].height;
  });
  return new XMLSerializer().serializeToString(root);
}

function paint(from, to) {
  const style = getComputedStyle(from);
  for (const key of PAINT) {
    const value = style.getPropertyValue(key);
    if (value && value !== "none 0px") to.setAttribute(key, value);
  }
  for (const name of [...to.getAttributeNames()]) if (/^(class|data-|aria-|role|tabindex)/.test(name)) to.removeAttribute(name);
  [...from.children].forEach((child, at) => paint(child, to.children[at]));
}

const set = (element, attributes) => Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));

/** The same as the bytes of a PNG, at twice its size where that is not too large. */
export async function asPng(text, wide, high) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const scale = Math.min(2, LONGEST / Math.max(wide, high));
  const canvas = document.createElement("canvas");
  set(canvas, { width: Math.round(wide * scale), height: Math.round(high * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

/** Hands a file to whoever reads the page. */
export function hand(blob, name) {
  const link = document.createElement("a");
  set(link, { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
