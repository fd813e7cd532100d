// Why a cell was called so, as a map over its picture; it is there where PyTorch is installed.

import { explanation } from "./cells.js";
import { notify, say } from "./notices.js";

let on = false; // stays so from cell to cell
let shown; // what shows or hides the map of the cell in the card

const meaning = (label) =>
  `The stronger the tint, the more this part spoke for ${label}; ` +
  "grey was not looked at. A hint, no proof.";

/** Lay the map over the picture in `frame`, or take it away. */
function turn({ frame, button, words, cell, label, version }) {
  button.setAttribute("aria-pressed", on);
  frame.querySelector(".map")?.remove();
  words.textContent = "";
  if (!on) return;
  words.textContent = "The model looks again …";
  const map = document.createElement("img");
  map.className = "map";
  map.alt = `Map over the cell: which parts spoke for ${label}`;
  map.addEventListener("load", () => {
    if (map.isConnected) words.textContent = meaning(label);
  });
  map.addEventListener("error", () => {
    if (!map.isConnected) return; // hidden in the meantime
    map.remove();
    words.textContent = "There is no map of this cell: its image is gone or was changed.";
  });
  map.src = explanation(cell, version);
  frame.append(map);
}

/** The button and the sentence for a cell; the map is asked for only when it is wanted. */
export function whyPart(frame, cell, label, version) {
  const made = document.createElement("div");
  made.className = "why";
  const button = document.createElement("button");
  button.className = "small";
  button.append("Show why ");
  const key = document.createElement("kbd");
  key.textContent = "w";
  button.append(key);
  button.title = `Which parts of the cell spoke for ${label}`;
  button.addEventListener("click", toggleWhy);
  const words = document.createElement("p");
  words.className = "soft fine";
  made.append(button, words);
  shown = { frame, button, words, cell, label, version };
  turn(shown);
  return made;
}

/** There is nothing to explain of the cell in the card. */
export function noWhy() {
  shown = undefined;
}

/** Show or hide the map, of this cell and of those that follow. */
export function toggleWhy() {
  if (!("maps" in document.getElementById("card").dataset)) {
    notify("The map of why needs PyTorch, which is not installed.", {
      hint: "In the folder of hemashift: .venv/bin/pip install -e '.[train]', then start hemashift again.",
    });
    return;
  }
  if (!shown) return;
  on = !on;
  turn(shown);
  say(on ? meaning(shown.label) : "The map is hidden.");
}
