// Step 3: adapt, go back to an earlier version, look again at labels.

import { call, pageData } from "./api.js";
import { refresh } from "./fresh.js";
import { showWork } from "./jobs.js";
import { register } from "./keys.js";
import { complain, notify } from "./notices.js";
import { needReader } from "./reader.js";
import { save } from "./saving.js";

const button = document.getElementById("adapt");
const panel = document.getElementById("work");
const { running, readers } = pageData();

async function watch(jobs) {
  const idle = button.disabled;
  button.disabled = true;
  try {
    await showWork(panel, jobs, (state) => {
      if (state.kind === "adapt" && state.state === "done") refresh("advice", "results", "steps");
    });
  } finally {
    button.disabled = idle;
  }
  await refresh("advice", "results", "steps");
}

/** Ask for work as the present reader and show it. */
async function start(path) {
  const reader = await needReader();
  if (!reader) return;
  try {
    await call(path, { reader }).then((first) => watch(first.job ? [first] : undefined));
  } catch (error) {
    complain(error);
  }
}

async function relabel(item, label) {
  const me = await needReader();
  if (!me) return;
  // Beside another reader's label an own one would only disagree: it is settled for both.
  const path = readers.some((name) => name !== me) ? "settle" : "label";
  try {
    await save(path, { reader: me, cell: Number(item.dataset.cell), verdict: "label", label });
    item.remove();
    notify("The label is changed. Adapt again to learn from it.");
  } catch {
    // Refused, and said so; the finding stays.
  }
}

async function keep(item) {
  const reader = await needReader();
  if (!reader) return;
  try {
    await save("findings/keep", { reader, cell: Number(item.dataset.cell) });
    item.remove();
  } catch {
    // As above.
  }
}

button.addEventListener("click", () => start("adapt"));
document.addEventListener("click", (event) => {
  const { target } = event;
  if (target.dataset.activate) start(`versions/${target.dataset.activate}/activate`);
  else if (target.dataset.relabel) relabel(target.closest("li"), target.dataset.relabel);
  else if ("keep" in target.dataset) keep(target.closest("li"));
});

register("Adapt", [
  ["a", "adapt the model", () => button.click()],
  ["l", "label more cells", () => location.assign("label")],
]);

if (running.length) watch(running).catch(complain);
