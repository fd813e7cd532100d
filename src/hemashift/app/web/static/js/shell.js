// What every page has: theme, keys, dialogs that close, and saving.

import { register, showKeys } from "./keys.js";

// Without a project there is nobody to ask for and nothing to save.
if (document.body.dataset.project) {
  import("./saving.js");
  import("./reader.js");
}

document.getElementById("theme").addEventListener("click", window.toggleTheme);
document.getElementById("help").addEventListener("click", showKeys);

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/** Go to the step after or before this one. */
function step(by) {
  const steps = [...document.querySelectorAll(".steps a")];
  steps[steps.findIndex((one) => one.getAttribute("aria-current")) + by]?.click();
}

register("Everywhere", [
  ["?", "show the keys", showKeys],
  [".", "next step", () => step(1)],
  [",", "step before", () => step(-1)],
  ["d", "light or dark", () => window.toggleTheme()],
]);
