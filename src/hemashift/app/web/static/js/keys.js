// Keys: every page registers its own, and `?` shows them all.

const bindings = [];
// What may go on while the key is held down: moving and zooming. An answer is one press.
const HELD = /^(shift\+)?(Arrow|Page)|^[-+=]$/;

/** Whether a key belongs to a field the user is typing in. */
function typing(target) {
  return target.closest?.("input:not([type=checkbox],[type=radio],[type=range]), textarea, select");
}

function altGr(event) {
  return event.getModifierState("AltGraph");
}

/** The name of a key as it is registered and shown: `Shift+ArrowLeft`, `ctrl+z`, `?`. */
export function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // AltGr, by which many keyboards write [ and ], comes as Ctrl and Alt on Windows.
  const ctrl = (event.ctrlKey && !altGr(event)) || event.metaKey ? "ctrl+" : "";
  const shift = event.shiftKey && event.key.length > 1 ? "shift+" : "";
  return ctrl + shift + key;
}

/**
 * Register keys. Each is [names, what it does, function, label shown in place of the names].
 * A function that returns false leaves the key to the browser.
 */
export function register(group, entries) {
  for (const [names, meaning, run, shown] of entries) {
    bindings.push({ group, names: [names].flat(), meaning, run, shown });
  }
}

document.addEventListener("keydown", (event) => {
  if ((event.altKey && !altGr(event)) || event.isComposing || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const name = nameOf(event);
  // Enter and space press what is focused; the page must not take them away.
  const pressable = event.target.closest?.("button, a[href], summary, input, [role=option]");
  const found = bindings.find((one) => one.names.includes(name));
  if (pressable && (name === "Enter" || name === " ")) {
    if (event.repeat) event.preventDefault();
  } else if (found && event.repeat && !HELD.test(name)) event.preventDefault();
  else if (found && found.run(event) !== false) event.preventDefault();
});

const SHOWN = {
  " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓",
  "shift+ArrowLeft": "Shift ←", "shift+ArrowRight": "Shift →",
};

function label(name) {
  return SHOWN[name] ?? name.replace("ctrl+", "Ctrl ").replace("shift+", "Shift ");
}

/** Fill and open the overlay with all keys. */
export function showKeys() {
  const dialog = document.getElementById("keys");
  const list = dialog.querySelector(".keys");
  list.replaceChildren();
  for (const group of new Set(bindings.map((one) => one.group))) {
    const section = document.createElement("section");
    const title = document.createElement("h3");
    title.textContent = group;
    const rows = document.createElement("dl");
    for (const one of bindings.filter((binding) => binding.group === group)) {
      const row = document.createElement("div");
      const what = document.createElement("dt");
      what.textContent = one.meaning;
      const which = document.createElement("dd");
      const names = one.shown ? [one.shown].flat() : one.names.map(label);
      names.forEach((name, place) => {
        const key = document.createElement("kbd");
        key.textContent = name;
        which.append(place ? " " : "", key);
      });
      row.append(what, which);
      rows.append(row);
    }
    section.append(title, rows);
    list.append(section);
  }
  dialog.showModal();
}
