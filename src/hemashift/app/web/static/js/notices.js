// Short messages at the corner of the page, read aloud by screen readers.

const place = document.getElementById("notices");

/** Show a message; alarms stay until they are closed. */
export function notify(message, { hint = "", alarm = false } = {}) {
  const box = document.createElement("div");
  box.className = alarm ? "notice alarm" : "notice";
  const text = document.createElement("p");
  text.textContent = message;
  if (hint) {
    const more = document.createElement("small");
    more.textContent = hint;
    text.append(more);
  }
  const close = document.createElement("button");
  close.className = "quiet small";
  close.textContent = "Close";
  close.addEventListener("click", () => box.remove());
  box.append(text, close);
  place.append(box);
  while (place.children.length > 3) place.firstElementChild.remove();
  if (!alarm) setTimeout(() => box.remove(), 6000);
}

/** Show what went wrong. */
export function complain(error) {
  notify(error.message, { hint: error.hint ?? "", alarm: true });
}

const spoken = document.getElementById("spoken");

/** Say something to screen readers only. */
export function say(text) {
  spoken.textContent = text;
}
