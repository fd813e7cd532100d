// Step 1: import, problems, classes, the sample.

import { call, pageData } from "./api.js";
import { refresh } from "./fresh.js";
import { showWork } from "./jobs.js";
import { register } from "./keys.js";
import { complain, notify } from "./notices.js";
import { needReader } from "./reader.js";
import { plural } from "./words.js";

const panel = document.getElementById("work");
const button = document.getElementById("import");
const { running, ready, subject } = pageData();
let sample = subject; // as this window showed it last; others may change it meanwhile

async function showCounts() {
  const summary = await call("summary");
  for (const place of document.querySelectorAll("[data-count]")) {
    place.textContent = summary[place.dataset.count];
  }
}

/** Show work until it ends; then problems and counts as they are now. */
async function watch(jobs) {
  button.disabled = true;
  let asked = 0;
  try {
    await showWork(panel, jobs, (state) => {
      if (state.kind === "import" && state.state === "done") refresh("problem-list", "steps");
      if (Date.now() - asked < 500 && state.state === "running") return;
      asked = Date.now();
      showCounts().catch(() => {});
    });
  } finally {
    button.disabled = false;
  }
  await refresh("figures", "problem-list", "class-list", "steps");
}

async function bringIn() {
  try {
    await watch([await call("import", {})]);
  } catch (error) {
    complain(error);
  }
}

button.addEventListener("click", bringIn);

/** Send a form as the present reader; tell what went wrong in plain words. */
function onSubmit(id, send) {
  document.addEventListener("submit", async (event) => {
    if (event.target.id !== id) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(event.target));
    const reader = await needReader();
    if (!reader) return;
    try {
      await send({ ...fields, reader });
    } catch (error) {
      complain(error);
    }
  });
}

onSubmit("add-class", async (fields) => {
  await call("classes", fields);
  location.reload(); // the colours of the classes are a style sheet of the page
});

document.addEventListener("click", async (event) => {
  const name = event.target.dataset.removeClass;
  if (!name) return;
  const reader = await needReader();
  if (!reader) return;
  try {
    await call("classes/remove", { name, reader });
    location.reload(); // as above
  } catch (error) {
    complain(error);
  }
});

onSubmit("subject", async (fields) => {
  await call("subject", { ...fields, before: sample });
  sample = fields;
  notify("The sample’s details are kept.");
});

document.addEventListener("change", async (event) => {
  if (event.target.name !== "occurs") return;
  const { value: name, checked: occurs } = event.target;
  try {
    const reader = await needReader();
    if (!reader) throw new Error("Nothing was changed: a name is needed.");
    await call("occurs", { name, occurs, reader });
    notify(`${name}: ${occurs ? "occurs" : "does not occur"} here, from the next adaptation on.`);
  } catch (error) {
    event.target.checked = !occurs;
    complain(error);
  }
});

/** The text of a table; other than `file.text()`, which would put signs in place of letters. */
function decode(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    const hint = "Save it as CSV in UTF-8, then choose it again.";
    throw Object.assign(new Error("The table is not in UTF-8, so nothing was taken."), { hint });
  }
}

document.addEventListener("change", async (event) => {
  if (event.target.id !== "label-file" || !event.target.files.length) return;
  const reader = await needReader();
  if (!reader) return;
  try {
    const text = decode(await event.target.files[0].arrayBuffer());
    const { labels, new: added } = await call("label-file", { reader, text });
    const classes = added.length ? ` New classes: ${added.join(", ")}.` : "";
    notify(`${plural(labels, "label")} ${labels === 1 ? "was" : "were"} taken from the table.${classes}`);
    await refresh("figures", "class-list", "steps");
  } catch (error) {
    complain(error);
  }
  event.target.value = ""; // the same file may be chosen again
});

register("Project", [
  ["i", "look for new images", () => button.click()],
  ["l", "label cells", () => document.getElementById("next").click()],
]);

if (running.length) watch(running).catch(complain);
else if (!ready) bringIn();
