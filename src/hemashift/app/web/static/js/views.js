// What is known of the cells in sight: asked for in parts, and only when they are looked at.

import { call } from "./api.js";
import { complain } from "./notices.js";

const MOST = 200;

export class Views {
  /** @param onNews Called when something new is known. */
  constructor(onNews) {
    this.onNews = onNews;
    this.known = new Map();
    this.wanted = new Set();
    this.gone = new Set(); // asked for, and not there any more
  }

  clear() {
    this.known.clear();
    this.gone.clear();
  }

  /** What is known of a cell; where nothing is, it is asked for. */
  get(id) {
    const found = this.known.get(id);
    if (!found && !this.wanted.has(id) && !this.gone.has(id)) {
      this.wanted.add(id);
      this.timer ??= setTimeout(() => this.fetch(), 30);
    }
    return found;
  }

  /** What is known of cells that may never have been in sight, asked for as far as it takes. */
  async all(ids) {
    const missing = ids.filter((id) => !this.known.has(id));
    for (let start = 0; start < missing.length; start += MOST) {
      const part = missing.slice(start, start + MOST).join(",");
      for (const view of await call(`cells?ids=${part}`)) this.known.set(view.cell, view);
    }
    return ids.map((id) => this.known.get(id)).filter(Boolean);
  }

  /** Note at once what a person has decided. */
  decide(id, bin, by) {
    const view = this.known.get(id);
    if (view) Object.assign(view, { bin, by, source: "review", doubt: 0, why: "" });
  }

  async fetch() {
    this.timer = undefined;
    // Those asked for last are those in sight now.
    const ids = [...this.wanted].slice(-MOST);
    this.wanted.clear();
    try {
      for (const view of await call(`cells?ids=${ids.join(",")}`)) this.known.set(view.cell, view);
      for (const id of ids) if (!this.known.has(id)) this.gone.add(id);
      this.onNews();
    } catch (error) {
      complain(error);
    }
  }
}
