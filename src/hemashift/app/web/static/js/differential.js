// Step 5: flags, the error rate, and what to compare.

import { call, pageData } from "./api.js";
import { styles } from "./cells.js";
import { register } from "./keys.js";
import { complain } from "./notices.js";
import { needReader } from "./reader.js";

const { rules, chosen, readers, versions } = pageData();
const box = document.getElementById("rules");
const rate = document.getElementById("max-error");
/** An error rate as the server takes it. */
const share = (percent) => Number(percent) / 100;
// What another window changes meanwhile is not changed back by this one.
const before = { rules, max_error: share(rate.defaultValue) };

function select(label, options, value) {
  const made = document.createElement("select");
  made.setAttribute("aria-label", label);
  // A rule may be about a class that is no longer listed.
  const listed = value && !options.includes(value) ? [...options, value] : options;
  made.append(...listed.map((option) => new Option(option)));
  if (value) made.value = value;
  return made;
}

function addRule(rule = { name: "", direction: "above", limit: "" }) {
  const row = document.createElement("div");
  row.className = "rule";
  const names = styles.filter((style) => !style.bin).map((style) => style.name);
  const limit = document.createElement("input");
  Object.assign(limit, { type: "number", min: 0, max: 10000, step: "any", required: true });
  limit.value = rule.limit;
  limit.setAttribute("aria-label", "Limit");
  const remove = document.createElement("button");
  Object.assign(remove, { type: "button", className: "quiet", textContent: "×" });
  remove.setAttribute("aria-label", "Remove this flag");
  remove.addEventListener("click", () => row.remove());
  const direction = select("Direction", ["above", "below"], rule.direction);
  row.append(select("Class", names, rule.name), direction, limit, remove);
  row.dataset.message = rule.message ?? "";
  box.append(row);
  return row;
}

function readRules() {
  return [...box.children].map((row) => {
    const [name, direction] = row.querySelectorAll("select");
    const limit = Number(row.querySelector("input").value);
    return { name: name.value, direction: direction.value, limit, message: row.dataset.message };
  });
}

document.getElementById("add-rule").addEventListener("click", () => {
  addRule().querySelector("select").focus();
});
document.getElementById("settings").addEventListener("submit", async (event) => {
  event.preventDefault();
  const reader = await needReader();
  if (!reader) return;
  try {
    await call("settings", { reader, rules: readRules(), max_error: share(rate.value), before });
    location.reload();
  } catch (error) {
    complain(error);
  }
});

const of = document.getElementById("of");
function fillChoices() {
  const options = of.value === "versions" ? versions.map(String) : readers;
  for (const [place, name] of ["first", "second"].entries()) {
    const field = document.getElementById(name);
    field.replaceChildren(...options.map((option) => new Option(option)));
    field.value = options.includes(chosen[name]) ? chosen[name] : (options[place] ?? "");
  }
  document.querySelector("#choose button").disabled = options.length < 2;
  document.getElementById("too-few").hidden = options.length >= 2;
}
of.addEventListener("change", fillChoices);
fillChoices();
for (const rule of rules) addRule(rule);

register("Differential", [
  ["g", "sign", () => location.assign("sign")],
  ["r", "review the cells", () => location.assign("review")],
]);
