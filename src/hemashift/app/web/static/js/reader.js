// Who is reading: asked once a window, so that two readers can work side by side.

import { project } from "./api.js";

const KEY = `hemashift-reader/${project}`;
const button = document.getElementById("reader");
const dialog = document.getElementById("who");
const listeners = [];
const CONSENSUS = "consensus"; // nobody's name

function recall() {
  try {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

let name = recall();

function show() {
  button.querySelector("span").textContent = name || "Who is reading?";
}

/** The name of the reader; empty until it is known. */
export function reader() {
  return name;
}

/** Be told when another person reads. */
export function onReader(listener) {
  listeners.push(listener);
}

function set(next) {
  name = next;
  try {
    sessionStorage.setItem(KEY, name);
    localStorage.setItem(KEY, name);
  } catch {
    // Without storage the name is asked for on every page.
  }
  show();
  for (const listener of listeners) listener(name);
}

/** Ask who is reading; resolves to the name, or to the present one where the user closes. */
export function askReader() {
  const form = dialog.querySelector("form");
  const field = form.querySelector("input");
  field.value = name;
  dialog.showModal();
  field.select();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      const given = field.value.trim();
      if (!given) return;
      if (given.toLowerCase() === CONSENSUS) {
        field.setCustomValidity("This name stands for what readers have settled together.");
        field.reportValidity();
        return;
      }
      dialog.close();
      if (given !== name) set(given);
    };
    dialog.onclose = () => resolve(name);
  });
}

/** The name of the reader, asked for where it is not known. */
export async function needReader() {
  return name || (await askReader());
}

for (const known of dialog.querySelectorAll("[data-reader]")) {
  known.addEventListener("click", () => {
    dialog.querySelector("input").value = known.dataset.reader;
    dialog.querySelector("form").requestSubmit();
  });
}
button.addEventListener("click", askReader);
dialog.querySelector("input").addEventListener("input", (event) => {
  event.target.setCustomValidity("");
});
show();
