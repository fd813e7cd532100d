// Cells side by side, and beside the typical cells of a class.

import { call } from "./api.js";
import { thumbs } from "./card.js";
import { badge, picture } from "./cells.js";
import { complain } from "./notices.js";

function figure(view, look) {
  const made = document.createElement("figure");
  const frame = document.createElement("div");
  frame.className = "cell";
  const image = document.createElement("img");
  image.src = picture(view.cell, "full", look);
  image.alt = `${view.bin}, ${look === "as_is" ? "as it is" : "colour-standardised"}`;
  frame.append(image);
  const caption = document.createElement("figcaption");
  const name = document.createElement("span");
  name.className = "named";
  name.append(badge(view.bin), view.bin);
  const more = document.createElement("span");
  more.className = "soft fine";
  more.textContent = look === "as_is" ? view.path : "colour-standardised";
  caption.append(name, more);
  made.append(frame, caption);
  return made;
}

async function show(dialog, title, ids, further = []) {
  const box = dialog.querySelector(".twins");
  dialog.querySelector("h2").textContent = title;
  const found = ids.length ? await call(`cells?ids=${ids.join(",")}`) : [];
  const looks = found.length <= 2 ? ["as_is", "standardised"] : ["as_is"];
  box.replaceChildren(...found.flatMap((view) => looks.map((look) => figure(view, look))));
  dialog.querySelector(".inside").replaceChildren(box, ...further);
  if (!dialog.open) dialog.showModal();
}

/** Show some cells side by side. */
export function compareCells(dialog, ids) {
  show(dialog, "Side by side", ids).catch(complain);
}

/** Show typical labelled cells of a class below the chosen cells. */
export async function showReferences(dialog, label, ids) {
  try {
    const cells = await call(`references?label=${encodeURIComponent(label)}`);
    const title = document.createElement("h3");
    title.textContent = cells.length
      ? `Typical labelled cells: ${label}`
      : `No cell has been labelled ${label} yet.`;
    const typical = thumbs(cells.map((cell) => ({ cell, label })));
    await show(dialog, `Beside typical cells: ${label}`, ids, [title, typical]);
  } catch (error) {
    complain(error);
  }
}
