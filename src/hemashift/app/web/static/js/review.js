// Step 4: galleries by class; cells are moved from class to class by key, button or drag.

import { call } from "./api.js";
import { noCard, showCard } from "./card.js";
import { badge, picture, styleOf, styles } from "./cells.js";
import { compareCells, showReferences } from "./compare.js";
import { dragFrom } from "./drag.js";
import { refresh } from "./fresh.js";
import { Grid } from "./grid.js";
import { gridKeys } from "./grid-keys.js";
import { showWork } from "./jobs.js";
import { register } from "./keys.js";
import { complain, notify, say } from "./notices.js";
import { needReader, reader } from "./reader.js";
import { idle, save } from "./saving.js";
import { Views } from "./views.js";
import { toggleWhy } from "./why.js";
import { plural } from "./words.js";

const $ = (id) => document.getElementById(id);
const views = new Views(() => grid.refresh());
let bin = new URLSearchParams(location.search).get("bin") ?? "";
let asked = 0;
let toDo = { unidentified: 0, outside: 0 }; // what signing waits for

const grid = new Grid($("gallery"), {
  draw,
  onActive: (item) => (item ? showCard($("card"), item.id, references) : noCard($("card"))),
  onSelect: showSelection,
});

/** Fill a tile: the picture at once, what is known of the cell as soon as it is there. */
function draw(element, { id }) {
  let image = element.firstElementChild;
  if (!image) {
    element.innerHTML = '<img alt="" decoding="async" draggable="false"><div class="under"></div>';
    image = element.firstElementChild;
  }
  const address = picture(id);
  if (image.getAttribute("src") !== address) image.setAttribute("src", address);
  const view = views.get(id);
  const under = element.lastElementChild;
  if (!view) {
    under.replaceChildren();
    element.setAttribute("aria-label", "cell");
    return;
  }
  const words = document.createElement("span");
  if (view.source === "review" || view.source === "label") {
    words.className = "by-hand";
    words.textContent = view.source === "review" ? "reviewed" : "labelled";
  } else {
    words.textContent = view.probability === null ? "" : `${Math.round(100 * view.probability)} %`;
    if (view.bin === "outside") words.textContent = `${view.outside.toFixed(2)} ×`;
  }
  const name = view.bin === "unidentified" ? (view.predicted ?? view.bin) : view.bin;
  under.replaceChildren(badge(name), words);
  element.setAttribute("aria-label", `${view.bin}, ${words.textContent}, ${view.path}`);
}

function showSelection(count) {
  $("what").textContent = count ? `${plural(count)} to` : "This cell to";
}

function showBins({ bins, unconfirmed }) {
  toDo = { unidentified: bins.unidentified ?? 0, outside: unconfirmed ?? 0 };
  let all = 0;
  for (const place of document.querySelectorAll(".shelf [data-count]")) {
    const count = bins[place.dataset.count] ?? 0;
    place.textContent = count;
    all += count;
  }
  $("all").textContent = all;
  showNotes();
}

/** Say why the cells of a bin are there. */
function showNotes() {
  for (const note of document.querySelectorAll("[data-note]")) {
    note.hidden = note.dataset.note !== bin;
  }
  const byModel = toDo.outside;
  $("unconfirmed").textContent = byModel
    ? `, and ${plural(byModel)} that only the model put here: to confirm`
    : "";
}

/** Show the cells of the bin, as they are sorted and filtered. */
async function load(active = 0) {
  asked += 1;
  const question = asked;
  await idle(); // what the server says now must not undo what is on its way
  const search = $("search").value.trim();
  const wish = new URLSearchParams({ bin, sort: $("sort").value, search });
  for (const name of ["source", "predicted"]) if ($(name).value) wish.set(name, $(name).value);
  try {
    const { cells, ...counts } = await call(`gallery?${wish}`);
    if (question !== asked) return; // the user has gone on
    views.clear();
    grid.setItems(cells.map((id) => ({ id })), active);
    showBins(counts);
    showPlace(cells.length);
  } catch (error) {
    complain(error);
  }
}

/** Why the list is empty. */
function nothing() {
  if (bin === "unidentified") return identified();
  const chosen = ["source", "predicted", "search"].some((name) => $(name).value.trim());
  return chosen
    ? "No cell of this class matches what is chosen above."
    : `No cell is in “${bin || "all cells"}”.`;
}

/** What is left to do once no cell is unidentified. */
function identified() {
  return toDo.outside
    ? `Every cell is identified. ${plural(toDo.outside)} in “outside” to look at before signing.`
    : "Every cell is identified: the differential can be signed.";
}

function showPlace(count) {
  $("title").textContent = `${bin || "all cells"} · ${count}`;
  $("gallery").hidden = count === 0;
  $("none").hidden = count !== 0;
  $("none-text").textContent = nothing();
  for (const shelf of document.querySelectorAll(".shelf")) {
    shelf.setAttribute("aria-pressed", shelf.dataset.bin === bin);
  }
}

async function open(name) {
  bin = name;
  grid.clear();
  grid.box.scrollTop = 0;
  history.replaceState(null, "", name ? `?bin=${encodeURIComponent(name)}` : "review");
  await load();
  grid.box.focus({ preventScroll: true });
}

/** Put the chosen cells into a bin: shown at once, saved at once, taken back where refused. */
async function move(target, items = grid.chosen()) {
  const cells = items.map((item) => item.id);
  if (!cells.length || !(await needReader())) return;
  const gone = new Set(cells);
  const first = grid.items.findIndex((item) => gone.has(item.id));
  for (const id of cells) views.decide(id, target, reader());
  if (bin && bin !== target) {
    grid.selected.clear();
    grid.setItems(grid.items.filter((item) => !gone.has(item.id)), first);
    showPlace(grid.items.length);
  } else {
    grid.clear();
    grid.move(Math.max(...cells.map((id) => grid.items.findIndex((item) => item.id === id))) + 1);
  }
  say(`${plural(cells.length)} to ${target}`);
  try {
    showBins(await save("move", { reader: reader(), cells, bin: target }));
    showPlace(grid.items.length);
  } catch {
    await load(first);
  }
}

/** Say of the chosen cells that they are where they belong. */
async function confirm() {
  const items = grid.chosen();
  let views_;
  try {
    views_ = await views.all(items.map((item) => item.id));
  } catch (error) {
    complain(error);
    return;
  }
  for (const target of new Set(views_.map((view) => view.bin))) {
    if (target === "unidentified") {
      notify("Unidentified cells need a class.", { hint: "Press the key of the class." });
      continue;
    }
    const these = new Set(views_.filter((view) => view.bin === target).map((view) => view.cell));
    await move(target, items.filter((item) => these.has(item.id)));
  }
}

async function undo() {
  if (!(await needReader())) return;
  try {
    const { moved } = await save("move/undo", { reader: reader() });
    if (!moved) return notify("There is nothing to take back.");
    notify(`Taken back: ${plural(moved.cells.length)} to ${moved.bin}.`);
    await load(grid.active);
  } catch {
    await load();
  }
}

function references(label) {
  showReferences($("twins"), label, grid.chosen().slice(0, 3).map((item) => item.id));
}

function compare() {
  const ids = grid.chosen().slice(0, 6).map((item) => item.id);
  if (ids.length > 1) compareCells($("twins"), ids);
  else if (ids.length) references(views.get(ids[0])?.predicted ?? styles[0].name);
}

/** Back to the cells: a button that kept the focus would be pressed again by Enter. */
function inHall(done) {
  grid.box.focus({ preventScroll: true });
  return done;
}

for (const shelf of document.querySelectorAll(".shelf")) {
  shelf.addEventListener("click", () => open(shelf.dataset.bin));
}
for (const button of document.querySelectorAll("[data-move]")) {
  button.addEventListener("click", () => inHall(move(button.dataset.move)));
}
for (const id of ["sort", "source", "predicted"]) $(id).addEventListener("change", () => load());
let typed;
$("search").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(load, 200);
});
$("size").addEventListener("input", (event) => grid.setSize(Number(event.target.value)));
$("confirm").addEventListener("click", () => inHall(confirm()));
$("compare").addEventListener("click", compare);
$("undo").addEventListener("click", () => inHall(undo()));

const step = (by) => {
  const bins = [...document.querySelectorAll(".shelf")].map((shelf) => shelf.dataset.bin);
  return open(bins[(bins.indexOf(bin) + by + bins.length) % bins.length]);
};
register("Review", [
  ...styles
    .filter((style) => style.key)
    .map((style) => [style.key, `to ${style.name}`, () => move(style.name)]),
  ["Enter", "right as it is", confirm],
  [["z", "ctrl+z", "Backspace"], "undo", undo],
  ["c", "compare the selected", compare],
  ["w", "where the model looked, on the cell", toggleWhy],
  ["]", "next class", () => step(1)],
  ["[", "class before", () => step(-1)],
]);
gridKeys(grid);
dragFrom(grid, move);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") load(grid.active);
});

async function begin() {
  const running = await call("jobs");
  if (running.length) {
    showWork($("work"), running)
      .then(() => refresh("notes"))
      .then(() => load(grid.active))
      .catch(complain);
  }
  const first = document.querySelector('[data-count="unidentified"]').textContent;
  await open(styleOf(bin).index >= 0 ? bin : first > 0 ? "unidentified" : styles[0].name);
}
begin().catch(complain);
