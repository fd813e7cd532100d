// A grid of many cells of which only those in view exist as elements, so that ten thousand
// scroll as smoothly as ten. Keyboard and screen readers see a list box.

const SPARE_ROWS = 2;

export class Grid {
  /**
   * @param box The scrolling element; it gets the role of a list box.
   * @param draw Called with an element and an item to fill the element.
   * @param onActive Called with the item that the keyboard is on.
   */
  constructor(box, { draw, onActive = () => {}, onSelect = () => {}, caption = 26, gap = 8 }) {
    Object.assign(this, { box, draw, onActive, onSelect, caption, gap });
    this.items = [];
    this.size = 104;
    this.active = -1;
    this.selected = new Set();
    this.anchor = 0;
    this.shown = new Map();
    this.spare = [];
    this.space = document.createElement("div");
    this.space.className = "grid-space";
    box.replaceChildren(this.space);
    box.addEventListener("scroll", () => this.later(), { passive: true });
    box.addEventListener("focus", () => this.active < 0 && this.items.length && this.move(0));
    new ResizeObserver(() => this.layout()).observe(box);
  }

  /** Show other items; each has an `id`. The selection keeps what is still there. */
  setItems(items, active = 0) {
    this.items = items;
    const present = new Set(items.map((item) => item.id));
    this.selected = new Set([...this.selected].filter((id) => present.has(id)));
    this.active = items.length ? Math.min(Math.max(active, 0), items.length - 1) : -1;
    this.anchor = this.active;
    this.layout();
    this.reveal();
    this.announce();
  }

  setSize(size) {
    this.size = size;
    this.layout();
    this.reveal();
  }

  /** Measure, and place everything anew. */
  layout() {
    const width = this.box.clientWidth - 2 * this.gap;
    if (width <= 0) return;
    this.columns = Math.max(1, Math.floor((width + this.gap) / (this.size + this.gap)));
    this.side = Math.floor((width - (this.columns - 1) * this.gap) / this.columns);
    this.pitch = this.side + this.caption + this.gap;
    const rows = Math.ceil(this.items.length / this.columns);
    this.space.style.height = `${rows * this.pitch + this.gap}px`;
    for (const element of this.shown.values()) this.release(element);
    this.shown.clear();
    this.render();
  }

  later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.render();
    });
  }

  /** Make the elements in view exist, and release those that are not. */
  render() {
    if (!this.columns) return;
    const top = Math.floor(this.box.scrollTop / this.pitch) - SPARE_ROWS;
    const rows = Math.ceil(this.box.clientHeight / this.pitch) + 2 * SPARE_ROWS + 1;
    const first = Math.max(0, top * this.columns);
    const last = Math.min(this.items.length, (top + rows) * this.columns);
    for (const [index, element] of this.shown) {
      if (index < first || index >= last) {
        this.release(element);
        this.shown.delete(index);
      }
    }
    for (let index = first; index < last; index += 1) {
      if (!this.shown.has(index)) this.shown.set(index, this.place(index));
    }
    const current = this.shown.get(this.active);
    if (current) this.box.setAttribute("aria-activedescendant", current.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  place(index) {
    const element = this.spare.pop() ?? this.make();
    const row = Math.floor(index / this.columns);
    const column = index % this.columns;
    element.style.width = `${this.side}px`;
    element.style.height = `${this.side + this.caption}px`;
    const x = this.gap + column * (this.side + this.gap);
    element.style.transform = `translate(${x}px, ${this.gap + row * this.pitch}px)`;
    element.id = `${this.box.id}-${index}`;
    element.dataset.index = index;
    element.setAttribute("aria-posinset", index + 1);
    element.setAttribute("aria-setsize", this.items.length);
    this.fill(element, index);
    element.hidden = false;
    if (!element.parentNode) this.space.append(element);
    return element;
  }

  make() {
    const element = document.createElement("div");
    element.setAttribute("role", "option");
    return element;
  }

  fill(element, index) {
    const item = this.items[index];
    element.setAttribute("aria-selected", this.selected.has(item.id));
    element.classList.toggle("active", index === this.active);
    this.draw(element, item);
  }

  release(element) {
    element.hidden = true;
    element.removeAttribute("id");
    delete element.dataset.index;
    this.spare.push(element);
  }

  /** Draw again what changed. */
  refresh() {
    for (const [index, element] of this.shown) this.fill(element, index);
  }

  /** Go to an item; extend the selection to it, where asked. */
  move(index, { extend = false } = {}) {
    if (!this.items.length) return;
    this.active = Math.min(Math.max(index, 0), this.items.length - 1);
    if (extend) this.selectRange(this.anchor, this.active);
    else this.anchor = this.active;
    this.reveal();
    this.refresh();
    this.render();
    this.announce();
  }

  announce() {
    this.onActive(this.items[this.active]);
    this.onSelect(this.selected.size);
  }

  /** Scroll so that the active item is in view. */
  reveal() {
    if (this.active < 0 || !this.columns) return;
    const top = Math.floor(this.active / this.columns) * this.pitch;
    const below = top + this.pitch + this.gap - this.box.clientHeight;
    if (this.box.scrollTop > top) this.box.scrollTop = top;
    else if (this.box.scrollTop < below) this.box.scrollTop = below;
  }

  toggle(index) {
    const { id } = this.items[index];
    if (!this.selected.delete(id)) this.selected.add(id);
    this.anchor = index;
    this.move(index);
  }

  selectRange(from, to) {
    const [first, last] = from < to ? [from, to] : [to, from];
    this.selected = new Set(this.items.slice(first, last + 1).map((item) => item.id));
  }

  selectAll() {
    this.selected = new Set(this.items.map((item) => item.id));
    this.refresh();
    this.announce();
  }

  clear() {
    this.selected.clear();
    this.refresh();
    this.announce();
  }

  /** The selected items in their order; the active one where none is selected. */
  chosen() {
    if (!this.selected.size) return this.active < 0 ? [] : [this.items[this.active]];
    return this.items.filter((item) => this.selected.has(item.id));
  }
}
