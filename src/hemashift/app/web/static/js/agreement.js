// Two readers: Cohen's kappa, and settling where they differ.

import { call } from "./api.js";
import { badge, picture, styles } from "./cells.js";
import { complain } from "./notices.js";
import { reader } from "./reader.js";
import { idle, save } from "./saving.js";
import { plural } from "./words.js";

const WORDS = { not_a_cell: "not a cell", unsure: "unsure", skip: "skipped" };

function number(value) {
  return value === null ? "–" : value.toFixed(2);
}

function line(text, className = "") {
  const made = document.createElement("p");
  made.className = className;
  made.textContent = text;
  return made;
}

function summary(found) {
  const { agreement } = found;
  const kappa = agreement.kappa;
  const box = document.createElement("div");
  const main = line("");
  const strong = document.createElement("b");
  strong.textContent = `κ ${number(kappa.estimate)}`;
  const between = `${number(kappa.low)} to ${number(kappa.high)}`;
  main.append(strong, ` (${between}) with ${agreement.readers[1]}`);
  const [same, low, high] = ["estimate", "low", "high"].map((name) =>
    Math.round(100 * (agreement.same[name] ?? 0)),
  );
  const words = `${same} % (${low} to ${high} %) of ${plural(agreement.n)} called the same`;
  box.append(main, line(words, "soft fine"));
  return box;
}

function described(judged) {
  const made = document.createElement("span");
  made.className = "named";
  if (judged.label) made.append(badge(judged.label));
  made.append(`${judged.label ?? WORDS[judged.verdict]} (${judged.reader})`);
  return made;
}

function difference(one) {
  const row = document.createElement("li");
  row.className = "line panel";
  const image = document.createElement("img");
  image.src = picture(one.cell);
  image.alt = `Cell ${one.cell}`;
  image.width = 96;
  image.height = 96;
  const words = document.createElement("div");
  words.className = "stack";
  words.append(...one.answers.map(described));
  const choice = document.createElement("select");
  choice.setAttribute("aria-label", "What the cell is");
  choice.append(new Option("What is it?", ""));
  for (const style of styles.filter((known) => !known.bin)) choice.append(new Option(style.name));
  choice.append(new Option("not a cell", "not_a_cell"));
  if (one.settled) choice.value = one.settled.label ?? one.settled.verdict;
  choice.addEventListener("change", () => {
    const label = ["", "not_a_cell"].includes(choice.value) ? null : choice.value;
    const verdict = label ? "label" : choice.value || "skip"; // nothing chosen takes it back
    save("settle", { reader: reader(), cell: one.cell, verdict, label }).catch(() => {});
  });
  row.append(image, words, choice);
  return row;
}

/** Show the differences; `after` is called once the dialog is closed and all of it is saved. */
function settle(found, after) {
  const dialog = document.getElementById("differences");
  dialog.addEventListener("close", () => idle().then(after), { once: true });
  document.getElementById("differing").replaceChildren(...found.differing.map(difference));
  dialog.showModal();
}

/**
 * Show how far this reader agrees with each other one. Where they differ is shown only once
 * this reader has answered everything: until then the labels of others stay hidden.
 */
export async function showAgreement(section, me, others, finished) {
  section.hidden = others.length === 0;
  if (section.hidden) return;
  const box = section.lastElementChild;
  if (!finished) {
    box.replaceChildren(line("Shown once you have answered all proposed cells.", "soft fine"));
    return;
  }
  const parts = [];
  for (const other of others) {
    const names = new URLSearchParams({ first: me, second: other });
    try {
      const found = await call(`agreement?${names}`);
      const part = summary(found);
      if (found.differing.length) {
        const button = document.createElement("button");
        button.className = "small";
        const open = found.differing.filter((one) => !one.settled).length;
        button.textContent = open ? `Settle ${plural(open, "difference")}` : "All differences settled";
        button.addEventListener("click", async () => {
          const now = await call(`agreement?${names}`).catch(complain);
          if (now) settle(now, () => showAgreement(section, me, others, finished));
        });
        part.append(button);
      }
      parts.push(part);
    } catch (error) {
      parts.push(line(error.message, "soft fine"));
    }
  }
  box.replaceChildren(...parts);
}
