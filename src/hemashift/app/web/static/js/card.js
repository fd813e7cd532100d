// One cell large, with what the model says and the labelled cells that it resembles.

import { call } from "./api.js";
import { badge, picture, styleOf } from "./cells.js";
import { noWhy, whyPart } from "./why.js";

let shown;

function heading(text) {
  const made = document.createElement("h2");
  made.textContent = text;
  return made;
}

function large(id, look) {
  const frame = document.createElement("div");
  frame.className = "cell";
  const image = document.createElement("img");
  image.src = picture(id, "large", look);
  image.alt = look === "as_is" ? "The cell, as it is" : "The cell, colour-standardised";
  frame.append(image);
  return frame;
}

function chances(probabilities) {
  const list = document.createElement("ul");
  list.className = "chances";
  const most = Object.entries(probabilities).sort((one, other) => other[1] - one[1]).slice(0, 4);
  for (const [name, probability] of most) {
    const row = document.createElement("li");
    const meter = document.createElement("meter");
    meter.value = probability;
    meter.setAttribute("aria-label", name);
    const share = document.createElement("span");
    share.className = "number";
    share.textContent = `${(100 * probability).toFixed(probability > 0.995 ? 0 : 1)} %`;
    row.append(badge(name), meter, share);
    list.append(row);
  }
  return list;
}

/** Small pictures of cells, each with its class. */
export function thumbs(cells) {
  const box = document.createElement("div");
  box.className = "thumbs";
  for (const { cell, label, note } of cells) {
    const figure = document.createElement("figure");
    const frame = document.createElement("div");
    frame.className = "cell";
    const image = document.createElement("img");
    image.src = picture(cell);
    image.alt = label;
    frame.append(image);
    const caption = document.createElement("figcaption");
    caption.append(badge(label), note ?? "");
    figure.append(frame, caption);
    box.append(figure);
  }
  return box;
}

function facts(view) {
  const made = document.createElement("div");
  const name = document.createElement("p");
  name.className = "named";
  const title = document.createElement("b");
  title.textContent = view.bin;
  name.append(badge(view.bin), title);
  const who = {
    review: `decided by ${view.by}`,
    label: "labelled by a reader",
    model: "called so by the model, not yet reviewed",
    none: "not classified yet",
  };
  const source = document.createElement("p");
  source.className = "soft fine";
  const unsure = view.bin === "unidentified" && view.source === "model";
  source.textContent = view.why || (unsure ? "the model is not sure enough" : who[view.source]);
  if (view.bin === "outside" && view.source === "model") {
    source.textContent = "put here by the model alone: confirm it with Enter, or give it a class";
  }
  const path = document.createElement("p");
  path.className = "soft mono";
  path.textContent = view.path;
  made.append(name, source, path);
  return made;
}

/** How far the cell is from all classes, where the model can tell. */
function distance(score) {
  const made = document.createElement("p");
  made.className = "fine";
  made.textContent = score > 1
    ? `Unlike all classes: ${score.toFixed(2)} times as far from the nearest as 95 % of the labelled cells are. Above 1.00 it counts as outside.`
    : `Distance to the nearest class: ${score.toFixed(2)}. Above 1.00 it would count as outside.`;
  return made;
}

/** Two decimals; what rounds to zero has no sign. */
function decimals(value) {
  return value.toFixed(2).replace(/^-(?=0\.00$)/, "");
}

function group(...children) {
  const made = document.createElement("div");
  made.className = "stack";
  made.append(...children);
  return made;
}

/** Show that no cell is chosen. */
export function noCard(card) {
  shown = undefined;
  noWhy();
  const made = document.createElement("p");
  made.className = "soft fine";
  made.textContent = "Choose a cell to see it large, and why it was called so.";
  card.replaceChildren(made);
}

/** Show one cell in the card; `references(label)` shows typical cells of a class. */
export async function showCard(card, id, references) {
  shown = id;
  // A user who holds an arrow key down does not want the cells in between.
  await new Promise((wait) => setTimeout(wait, 60));
  if (shown !== id) return;
  const found = await call(`cells/${id}`).catch(() => undefined);
  if (shown !== id || !found) return;
  const parts = [large(id, "as_is"), group(facts(found.cell))];
  noWhy();
  if (Object.keys(found.probabilities).length) {
    parts[1].append(heading("The model says"), chances(found.probabilities));
    if ("maps" in card.dataset) {
      parts[1].append(whyPart(parts[0], id, found.cell.predicted, found.version));
    }
  }
  if (found.cell.outside !== null) parts[1].append(distance(found.cell.outside));
  if (found.similar.length) {
    const near = found.similar.map((one) => ({ ...one, note: decimals(one.similarity) }));
    parts.push(group(heading("Because it resembles these labelled cells"), thumbs(near)));
  }
  const label = found.cell.predicted ?? found.cell.bin;
  if (!styleOf(label).bin) {
    const button = document.createElement("button");
    button.className = "small";
    button.textContent = `Typical cells: ${label}`;
    button.addEventListener("click", () => references(label));
    parts.at(-1).append(button);
  }
  card.replaceChildren(...parts);
}
