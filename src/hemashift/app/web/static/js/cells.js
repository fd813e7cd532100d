// Pictures and badges of cells.

import { pageData, project } from "./api.js";

const { stamp } = document.body.dataset;

/** The classes and bins: index, name, code, key. */
export const styles = document.getElementById("styles") ? pageData("styles") : [];
const byName = new Map(styles.map((style) => [style.name, style]));

export function styleOf(name) {
  return byName.get(name) ?? { index: -1, name, code: name.slice(0, 3).toUpperCase(), key: "" };
}

/** The address of a picture. Sizes: grid, large, full; looks: as_is, standardised. */
export function picture(cell, size = "grid", look = "as_is") {
  return `/p/${project}/pictures/${stamp}/${cell}/${look}/${size}`;
}

/** The address of the map of why a version of the model called a cell so. */
export function explanation(cell, version) {
  return `/p/${project}/pictures/${stamp}/${cell}/why/${version}`;
}

export function badge(name) {
  const style = styleOf(name);
  const made = document.createElement("span");
  made.className = `badge k${style.index}`;
  made.textContent = style.code;
  made.title = style.name;
  return made;
}

/** Ask the browser to fetch pictures before they are shown. */
export function fetchAhead(addresses) {
  for (const address of addresses) new Image().src = address;
}

// A picture that cannot be shown says so, and does not leave a hole.
document.addEventListener(
  "error",
  (event) => {
    if (event.target instanceof HTMLImageElement) event.target.classList.add("missing");
  },
  true,
);
document.addEventListener(
  "load",
  (event) => {
    if (event.target instanceof HTMLImageElement) event.target.classList.remove("missing");
  },
  true,
);
