// Which part of a drawing is seen: it is moved by dragging, and made larger by the wheel or by two fingers.

const LEAST = 0.02;
const MOST = 12;

export class Viewport {
  /** @param svg what is seen; @param layer what is moved in it; @param onChange is told after each change. */
  constructor(svg, layer, onChange) {
    Object.assign(this, { svg, layer, onChange, x: 0, y: 0, k: 1, pointers: new Map(), moved: 0 });
    svg.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => this.#up(event));
  }

  get size() {
    const { width, height } = this.svg.getBoundingClientRect();
    return { width: width || 800, height: height || 500 };
  }

  to(x, y, k = this.k) {
    Object.assign(this, { x, y, k: Math.min(MOST, Math.max(LEAST, k)) });
    this.layer.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.k})`);
    this.onChange?.(this);
  }

  /** Shows all of a drawing, or from its beginning as much of it as can be read. */
  fit(wide, high, least = LEAST) {
    const { width, height } = this.size;
    const room = 24;
    const whole = Math.min((width - 2 * room) / wide, (height - 2 * room) / high);
    const k = Math.max(Math.min(whole, 2.4), least);
    const x = wide * k <= width - room ? (width - wide * k) / 2 : room;
    this.to(x, high * k <= height - room ? (height - high * k) / 2 : room, k);
  }

  /** Makes it larger or smaller around a point, by default the middle. */
  zoom(by, x = this.size.width / 2, y = this.size.height / 2) {
    const k = Math.min(MOST, Math.max(LEAST, this.k * by));
    this.to(x - ((x - this.x) * k) / this.k, y - ((y - this.y) * k) / this.k, k);
  }

  /** Moves it no farther than that a frame can be seen; to one that is far away with more of what is around it. */
  reveal(frame, isFar) {
    const least = isFar ? 1 : 0;
    const { width, height } = this.size;
    if (this.k < least) this.zoom(least / this.k, this.x + (frame.x + frame.width / 2) * this.k, this.y + frame.axis * this.k);
    const across = shift(this.x + frame.x * this.k, frame.width * this.k, width, isFar ? 0.33 : 0.04);
    const down = shift(this.y + frame.y * this.k, frame.height * this.k, height, 0.1);
    if (across || down) this.to(this.x + across, this.y + down);
  }

  #at(event) {
    const { left, top } = this.svg.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  #wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    if (event.shiftKey || (Math.abs(event.deltaX) > Math.abs(event.deltaY) && !event.ctrlKey)) {
      this.to(this.x - (event.deltaX || event.deltaY) * unit, this.y);
    } else this.zoom(Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.002)), ...this.#at(event));
  }

  #down(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, this.#at(event));
    this.moved = 0;
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    this.moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (this.moved > 4 && !this.svg.hasPointerCapture(event.pointerId)) this.svg.setPointerCapture(event.pointerId);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const far = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      this.zoom(far(now) / far(before), ...other);
    } else if (this.moved > 4) this.to(this.x + now[0] - before[0], this.y + now[1] - before[1]);
    this.pointers.set(event.pointerId, now);
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
  }
}

/** How far what begins at `start` must be moved to lie in the room, with a share of that on both sides. */
function shift(start, long, room, share) {
  const margin = Math.min(room * share, Math.max(0, (room - long) / 2));
  if (start < margin) return margin - start;
  return Math.min(0, room - margin - start - long);
}
