// Drag the selected cells onto a class. With pointers, so that it works with fingers too.

const FAR_ENOUGH = 8; // pixels

/** Let cells be dragged from a grid onto the shelves; `move(bin, items)` puts them there. */
export function dragFrom(grid, move) {
  let start;
  let ghost;
  let over;

  function end() {
    ghost?.remove();
    over?.classList.remove("over");
    start = ghost = over = undefined;
  }

  function begin() {
    const { index } = start;
    if (!grid.selected.has(grid.items[index].id)) {
      grid.selected = new Set([grid.items[index].id]);
      grid.move(index);
    }
    ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.textContent = `${grid.selected.size} cell${grid.selected.size === 1 ? "" : "s"}`;
    document.body.append(ghost);
  }

  grid.box.addEventListener("pointerdown", (event) => {
    const tile = event.target.closest("[role=option]");
    // A finger that moves scrolls; only mouse and pen drag.
    if (!tile || event.button !== 0 || event.pointerType === "touch") return;
    start = { index: Number(tile.dataset.index), x: event.clientX, y: event.clientY };
  });
  document.addEventListener("pointermove", (event) => {
    if (!start) return;
    const far = Math.hypot(event.clientX - start.x, event.clientY - start.y) > FAR_ENOUGH;
    if (!ghost && far) begin();
    if (!ghost) return;
    event.preventDefault();
    ghost.style.transform = `translate(${event.clientX + 12}px, ${event.clientY + 8}px)`;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const shelf = under?.closest(".shelf[data-bin]:not([data-bin=''])");
    if (shelf === over) return;
    over?.classList.remove("over");
    over = shelf ?? undefined;
    over?.classList.add("over");
  });
  document.addEventListener("pointerup", () => {
    const target = over?.dataset.bin;
    end();
    if (target) move(target);
  });
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => event.key === "Escape" && end());
}
