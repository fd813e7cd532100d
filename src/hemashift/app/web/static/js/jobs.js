// The panel that shows work in the background, a line a step.

import { followAll } from "./events.js";

const NAMES = {
  import: "Reading images",
  encode: "Looking at the cells",
  classify: "Classifying the cells",
  adapt: "Adapting the model",
  propose: "Choosing cells to label",
};

function lineOf(list, state) {
  const name = `${state.kind}-${state.step}`;
  let line = [...list.children].find((one) => one.dataset.name === name);
  if (!line) {
    line = document.createElement("li");
    line.dataset.name = name;
    const text = document.createElement("span");
    const step = state.step || NAMES[state.kind] || state.kind;
    text.textContent = step[0].toUpperCase() + step.slice(1);
    const count = document.createElement("span");
    count.className = "number soft";
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", text.textContent);
    line.append(text, count, bar);
    list.append(line);
  }
  return line;
}

function draw(list, state) {
  // Before its first step is known, work has a line of its own.
  if (state.step) list.querySelector(`[data-name="${state.kind}-"]`)?.remove();
  const line = lineOf(list, state);
  const bar = line.querySelector("progress");
  if (state.total > 1) {
    bar.max = state.total;
    bar.value = state.done;
    line.querySelector(".number").textContent = `${state.done} of ${state.total}`;
  } else if (state.state === "running") {
    bar.removeAttribute("value");
  }
  if (state.state !== "running") {
    const share = state.state === "done" ? 1 : 0;
    for (const one of list.querySelectorAll("progress:not([value])")) one.value = share * one.max;
  }
}

/**
 * Show work until all of it has ended.
 * @param panel The element `#work`, with a list `.stages` and a paragraph `.failure`.
 * @param jobs The work that runs, as the server gives it; asked for where it is left out.
 * @returns Whether all of it succeeded; rejects where it can no longer be followed.
 */
export async function showWork(panel, jobs = undefined, onProgress = () => {}) {
  const list = panel.querySelector(".stages");
  const failure = panel.querySelector(".failure");
  let failed = false;
  list.replaceChildren();
  failure.hidden = true;
  panel.hidden = false;
  try {
    await followAll((state) => {
      draw(list, state);
      if (state.state === "failed") {
        failed = true;
        failure.textContent = state.error;
        failure.hidden = false;
      }
      onProgress(state);
    }, jobs);
  } finally {
    if (!failed) panel.hidden = true;
  }
  return !failed;
}
