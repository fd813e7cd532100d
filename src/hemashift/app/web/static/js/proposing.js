// Choosing cells to label is work in the background: keys go on working meanwhile.

import { call } from "./api.js";
import { follow } from "./events.js";
import { complain } from "./notices.js";

/** Whether work chooses cells: "propose", or "propose basophil". */
const chooses = (job) => job.kind.split(" ")[0] === "propose";

export class Proposing {
  /**
   * @param box Shows that cells are being chosen.
   * @param onChange Called when that begins or ends; `failure` says why it failed last.
   */
  constructor(box, onChange) {
    Object.assign(this, { box, onChange, busy: false, failure: "" });
  }

  /** Propose cells; resolves to their ids, or to undefined where that failed, which is told. */
  propose(n, label = undefined) {
    return this.watch(() => call("propose", { n, label }));
  }

  /** Wait for cells that another window is having chosen; undefined where there are none. */
  async join() {
    const job = (await call("jobs")).find(chooses);
    return job && this.watch(() => job);
  }

  async watch(begin) {
    this.failure = "";
    this.set(true);
    try {
      let state = await begin();
      if (state.state === "running") {
        this.show(state);
        state = await follow(state.job, (now) => this.show(now));
      }
      if (state.state === "failed") {
        const [message, ...more] = state.error.split("\n");
        this.failure = `${message[0].toUpperCase()}${message.slice(1)}.`;
        const text = `No cells could be chosen. ${this.failure}`;
        complain({ message: text, hint: more.map((line) => line.trim()).join(". ") });
      }
      return state.state === "done" ? state.result : undefined;
    } catch (error) {
      complain(error);
      return undefined;
    } finally {
      this.set(false);
    }
  }

  set(busy) {
    this.busy = busy;
    if (!busy) this.box.replaceChildren();
    this.onChange();
  }

  show(state) {
    if (!this.box.firstChild) {
      const bar = document.createElement("progress");
      bar.setAttribute("aria-label", "Choosing cells");
      this.box.append(document.createElement("span"), bar);
    }
    const step = state.step || "choosing cells to label";
    const text = `${step[0].toUpperCase()}${step.slice(1)}… You can go on labelling.`;
    const words = this.box.firstChild;
    if (words.textContent !== text) words.textContent = text; // read aloud once
  }
}
