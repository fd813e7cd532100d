// The proposed cells as a grid of small pictures, and which of them is shown large.

import { badge, picture } from "./cells.js";

const SIGNS = { not_a_cell: "n", unsure: "?", skip: "s" };

export class Batch {
  /** @param onChoose Called with the place of a cell that was chosen in the grid. */
  constructor(box, onChoose) {
    this.box = box;
    this.onChoose = onChoose;
    this.cells = [];
    this.said = new Map(); // cell -> { verdict, label }
    this.place = 0;
  }

  get cell() {
    return this.cells[this.place];
  }

  /** Number of cells without an answer. */
  get open() {
    return this.cells.filter((cell) => !this.said.has(cell)).length;
  }

  set(cells, said) {
    const before = this.cell;
    this.cells = cells;
    this.said = new Map(Object.entries(said).map(([cell, one]) => [Number(cell), one]));
    this.box.replaceChildren(...cells.map((cell, place) => this.tile(cell, place)));
    this.place = Math.max(0, cells.indexOf(before));
  }

  tile(cell, place) {
    const button = document.createElement("button");
    const image = document.createElement("img");
    image.src = picture(cell);
    image.alt = "";
    image.loading = "lazy";
    button.append(image);
    button.addEventListener("click", () => this.onChoose(place));
    this.mark(button, cell, place);
    return button;
  }

  mark(button, cell, place) {
    const said = this.said.get(cell);
    button.querySelector(".badge")?.remove();
    button.classList.toggle("labelled", Boolean(said));
    const words = said ? (said.label ?? said.verdict.replaceAll("_", " ")) : "no answer yet";
    button.setAttribute("aria-label", `Cell ${place + 1}: ${words}`);
    if (!said) return;
    const sign = badge(said.label ?? said.verdict);
    if (!said.label) sign.textContent = SIGNS[said.verdict];
    button.append(sign);
  }

  /** Note an answer; undefined takes it away. */
  answer(cell, said) {
    if (said) this.said.set(cell, said);
    else this.said.delete(cell);
    const place = this.placeOf(cell);
    if (place >= 0) this.mark(this.box.children[place], cell, place);
  }

  placeOf(cell) {
    return this.cells.indexOf(cell);
  }

  go(place) {
    this.box.children[this.place]?.removeAttribute("aria-current");
    this.place = Math.min(Math.max(place, 0), this.cells.length);
    const tile = this.box.children[this.place];
    tile?.setAttribute("aria-current", "true");
    tile?.scrollIntoView({ block: "nearest" });
  }

  /** The next place without an answer, from the beginning again after the end. */
  nextOpen(from = this.place + 1) {
    const count = this.cells.length;
    for (let step = 0; step < count; step += 1) {
      const place = (from + step) % count;
      if (!this.said.has(this.cells[place])) return place;
    }
    return count;
  }

  /** The next few cells without an answer. */
  following(number) {
    const open = (cell, place) => place > this.place && !this.said.has(cell);
    return this.cells.filter(open).slice(0, number);
  }
}
