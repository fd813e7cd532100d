// Step 2: label the proposed cells. What is shown changes at once; saving follows.

import { call } from "./api.js";
import { showAgreement } from "./agreement.js";
import { Batch } from "./batch.js";
import { badge, fetchAhead, picture, styles } from "./cells.js";
import { register } from "./keys.js";
import { lookAt } from "./look.js";
import { complain, notify, say } from "./notices.js";
import { Proposing } from "./proposing.js";
import { needReader, onReader, reader } from "./reader.js";
import { idle, save } from "./saving.js";

const $ = (id) => document.getElementById(id);
const VERDICTS = { not_a_cell: "not a cell", unsure: "unsure", skip: "skipped" };
const zoom = lookAt($("views"));
const batch = new Batch($("batch"), (place) => go(place));
const looks = new Map(); // cell -> promise of similar labelled cells
const proposing = new Proposing($("choosing"), () => {
  $("more").disabled = proposing.busy;
  if (!$("nothing").hidden) showNothing();
});
let given = 0; // answers and undos in this window
let counts = {};
let lookedAt; // the cell shown
let reasons = {}; // cell -> why it was proposed

function wordsOf(said) {
  if (!said) return "";
  return said.verdict === "label" ? said.label : VERDICTS[said.verdict];
}

/** Show the cell at a place of the batch. */
function go(place) {
  batch.go(place);
  const cell = batch.cell;
  $("stage").hidden = cell === undefined;
  $("nothing").hidden = cell !== undefined;
  if (cell === undefined) return showNothing();
  if (cell !== lookedAt) zoom.reset();
  lookedAt = cell;
  $("plain").src = picture(cell, "full");
  $("standard").src = picture(cell, "full", "standardised");
  $("plain").alt = `Cell ${batch.place + 1}, as it is`;
  $("standard").alt = `Cell ${batch.place + 1}, colour-standardised`;
  $("where").textContent = `Cell ${batch.place + 1} of ${batch.cells.length}`;
  $("reason").textContent = reasons[cell] ?? "";
  showAnswer();
  showSimilar(cell);
  const ahead = batch.following(3);
  fetchAhead(ahead.flatMap((one) => [picture(one, "full"), picture(one, "full", "standardised")]));
  if (ahead.length) similarOf(ahead[0]).catch(() => {});
}

function showNothing() {
  if (proposing.busy) {
    $("nothing-title").textContent = "Choosing cells to label…";
    $("nothing-text").textContent = "Those that teach the model most come first.";
    return;
  }
  const none = batch.cells.length === 0;
  if (none && proposing.failure) {
    $("nothing-title").textContent = "No cells could be chosen";
    $("nothing-text").textContent = proposing.failure;
    return;
  }
  $("nothing-title").textContent = none ? "No cells yet" : "All proposed cells are answered";
  $("nothing-text").textContent = none
    ? "Import images on the page Project first."
    : `Adapt the model with these labels, or label more cells.${skippedWords()}`;
}

function skippedWords() {
  const skipped = [...batch.said.values()].filter((said) => said.verdict === "skip").length;
  return skipped ? ` ${skipped} skipped: choose them among the proposed cells to answer.` : "";
}

/** Mark what the reader has said about the cell shown. */
function showAnswer() {
  const said = batch.said.get(batch.cell);
  for (const button of document.querySelectorAll("[data-label], [data-verdict]")) {
    const { label, verdict } = button.dataset;
    const pressed = Boolean(said) && (label ? said.label === label : said.verdict === verdict);
    button.setAttribute("aria-pressed", pressed);
  }
  const stamp = $("stamp");
  stamp.hidden = !said;
  if (said) {
    const word = said.verdict === "label" ? [badge(said.label)] : [];
    stamp.replaceChildren(...word, ` ${wordsOf(said)}`);
  }
}

function similarOf(cell) {
  if (!looks.has(cell)) {
    looks.set(cell, call(`similar/${cell}?reader=${encodeURIComponent(reader())}`));
  }
  return looks.get(cell);
}

async function showSimilar(cell) {
  const found = await similarOf(cell).catch(() => []);
  if (cell !== batch.cell) return; // the reader has gone on
  $("no-similar").hidden = found.length > 0;
  $("similar").replaceChildren(
    ...found.map((one) => {
      const item = document.createElement("li");
      item.className = "cell";
      const image = document.createElement("img");
      image.src = picture(one.cell);
      image.alt = one.label;
      item.append(image, badge(one.label));
      return item;
    }),
  );
}

function showCounts() {
  let total = 0;
  for (const place of $("choices").querySelectorAll("[data-count]")) {
    place.textContent = counts[place.dataset.count] ?? 0;
    total += counts[place.dataset.count] ?? 0;
  }
  const answered = batch.cells.filter((cell) => batch.said.has(cell)).length;
  $("tally").textContent = total;
  $("left").textContent = `${answered} of ${batch.cells.length} proposed answered`;
  $("bar").max = batch.cells.length || 1;
  $("bar").value = answered;
}

/** Answer for the cell shown, show the next, and save. */
async function answer(verdict, label = null) {
  const cell = batch.cell;
  if (cell === undefined || !(await needReader())) return;
  given += 1;
  const before = batch.said.get(cell);
  if (before?.verdict === "label") counts[before.label] -= 1;
  if (label) counts[label] = (counts[label] ?? 0) + 1;
  batch.answer(cell, { verdict, label });
  say(wordsOf({ verdict, label }));
  looks.delete(cell);
  go(batch.nextOpen());
  showCounts();
  try {
    const now = await save("label", { reader: reader(), cell, verdict, label });
    showSecond(now.readers);
  } catch {
    await load(); // refused, and said so: show what holds
  }
}

async function undo() {
  if (!(await needReader())) return;
  given += 1;
  try {
    const { taken, now, counts: fresh } = await save("label/undo", { reader: reader() });
    if (!taken) return say("There is nothing to take back.");
    counts = fresh;
    batch.answer(taken.cell, now ?? undefined);
    go(batch.placeOf(taken.cell));
    showCounts();
    say(`Taken back: ${wordsOf(taken)}`);
  } catch {
    await load();
  }
}

async function propose(n = 20, label = undefined) {
  if (proposing.busy) return;
  const cells = await proposing.propose(n, label);
  if (!cells) return;
  if (!cells.length) notify("There are no more such cells to propose.");
  await load().catch(complain);
}

/** Ask the server for the state and show it; `stay` at the cell shown, also if it is answered. */
async function load({ stay = false } = {}) {
  let state;
  let before;
  do {
    before = given;
    await idle(); // what the server says now must not undo what is on its way
    state = await call(`label?reader=${encodeURIComponent(reader())}`);
  } while (given !== before);
  const shown = batch.cell;
  batch.set(state.cells, state.said);
  ({ counts, reasons } = state);
  looks.clear();
  const here = batch.placeOf(shown);
  go(here >= 0 && (stay || !batch.said.has(shown)) ? here : batch.nextOpen(0));
  showCounts();
  showSecond(state.readers);
  return state;
}

function showSecond(others) {
  showAgreement($("second"), reader(), others, batch.open === 0);
}

const classes = styles.filter((style) => !style.bin);
for (const button of document.querySelectorAll("[data-label]")) {
  button.addEventListener("click", () => answer("label", button.dataset.label));
}
for (const button of document.querySelectorAll("[data-verdict]")) {
  button.addEventListener("click", () => answer(button.dataset.verdict));
}
$("undo").addEventListener("click", undo);
$("more").addEventListener("click", () => propose());

register("Label", [
  ...classes
    .filter((style) => style.key)
    .map((style) => [style.key, style.name, () => answer("label", style.name)]),
  ["n", "not a cell", () => answer("not_a_cell")],
  ["u", "unsure", () => answer("unsure")],
  ["s", "skip", () => answer("skip")],
  [["z", "ctrl+z", "Backspace"], "undo", undo],
  ["m", "propose 20 more", () => propose()],
]);
register("Cells", [
  ["ArrowLeft", "cell before", () => go(batch.place - 1)],
  ["ArrowRight", "next cell", () => go(batch.place + 1)],
]);

// Another window may have labelled meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && reader()) load({ stay: true }).catch(() => {});
});
onReader(() => load().catch(complain));

async function begin() {
  if (!(await needReader())) return;
  await load();
  if (await proposing.join()) await load();
  const wanted = new URLSearchParams(location.search).get("class");
  if (wanted) {
    history.replaceState(null, "", "label"); // reloading must not propose again
    await propose(10, wanted);
  } else if (batch.cells.length === 0) await propose();
}
begin().catch(complain);
