// Moving and selecting in a grid, with keys and with the mouse.

import { register } from "./keys.js";

/** Register the keys of a grid, and what clicks in it do. */
export function gridKeys(grid) {
  const page = () => grid.columns * Math.max(1, Math.floor(grid.box.clientHeight / grid.pitch));
  const moves = [
    ["ArrowLeft", () => -1],
    ["ArrowRight", () => 1],
    ["ArrowUp", () => -grid.columns],
    ["ArrowDown", () => grid.columns],
    ["PageUp", () => -page()],
    ["PageDown", () => page()],
    ["Home", () => -Infinity],
    ["End", () => Infinity],
  ];
  /** Whether an arrow belongs to another field, such as the slider. */
  const elsewhere = (event) => event.target.closest("input, select, dialog");
  const go = (by, extend) => (event) =>
    elsewhere(event) ? false : void grid.move(grid.active + by(), { extend });
  register("Cells", [
    [moves.map(([name]) => name), "move", (event) => {
      const [, by] = moves.find(([name]) => name === event.key);
      return go(by, false)(event);
    }, ["← → ↑ ↓", "Page", "Home", "End"]],
    [moves.map(([name]) => `shift+${name}`), "select while moving", (event) => {
      const [, by] = moves.find(([name]) => name === event.key);
      return go(by, true)(event);
    }, "Shift + move"],
    [" ", "select", (event) => {
      if (elsewhere(event) || grid.active < 0) return false;
      return grid.toggle(grid.active);
    }],
    ["ctrl+a", "select all", () => grid.selectAll()],
    ["Escape", "select none", () => grid.clear()],
  ]);
  grid.box.addEventListener("click", (event) => {
    const tile = event.target.closest("[role=option]");
    if (!tile) return;
    const index = Number(tile.dataset.index);
    if (event.shiftKey) grid.move(index, { extend: true });
    else if (event.ctrlKey || event.metaKey) grid.toggle(index);
    else {
      grid.selected.clear();
      grid.move(index);
    }
  });
}
