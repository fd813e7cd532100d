// How the large pictures are looked at: which colours, and how near.

import { register } from "./keys.js";
import { Zoom } from "./zoom.js";

const KEY = "hemashift-view";
const VIEWS = ["both", "plain", "standard"];
const $ = (id) => document.getElementById(id);

function show(views, name) {
  views.dataset.view = name;
  for (const button of document.querySelectorAll(".segments [data-view]")) {
    button.setAttribute("aria-pressed", button.dataset.view === name);
  }
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Without storage the next page begins with both again.
  }
}

function recalled() {
  try {
    const name = localStorage.getItem(KEY);
    return VIEWS.includes(name) ? name : VIEWS[0];
  } catch {
    return VIEWS[0];
  }
}

/** Set up buttons and keys; returns the zoom, so that the next cell can be shown whole. */
export function lookAt(views) {
  const zoom = new Zoom(views, $("zoom"));
  for (const button of document.querySelectorAll(".segments [data-view]")) {
    button.addEventListener("click", () => show(views, button.dataset.view));
  }
  $("zoom-in").addEventListener("click", () => zoom.by(1));
  $("zoom-out").addEventListener("click", () => zoom.by(-1));
  $("zoom-fit").addEventListener("click", () => zoom.reset());
  const turn = () => {
    show(views, VIEWS[(VIEWS.indexOf(views.dataset.view) + 1) % VIEWS.length]);
  };
  register("Look", [
    ["c", "colour: both, as it is, standardised", turn],
    [["+", "="], "zoom in", () => zoom.by(1), "+"],
    ["-", "zoom out", () => zoom.by(-1)],
    ["f", "whole picture", () => zoom.reset()],
  ]);
  show(views, recalled());
  return zoom;
}
