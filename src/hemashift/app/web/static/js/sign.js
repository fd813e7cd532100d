// Step 6: sign, and take home what was signed.

import { register } from "./keys.js";
import { needReader, onReader, reader } from "./reader.js";
import { idle, save } from "./saving.js";

const form = document.getElementById("signing");
const button = form.querySelector("button");
const signer = document.getElementById("signer");

function showSigner() {
  signer.textContent = reader() || "…";
  for (const link of document.querySelectorAll("[data-download]")) {
    link.search = reader() ? `?by=${encodeURIComponent(reader())}` : "";
  }
}

async function sign(event) {
  event.preventDefault();
  const name = await needReader();
  if (!name) return;
  const { comment, reason } = Object.fromEntries(new FormData(form));
  const { token, amend } = form.dataset;
  button.disabled = true;
  try {
    await save("sign", { reader: name, token, comment, reason, amend: Boolean(amend) });
    location.reload();
  } catch (error) {
    button.disabled = false;
    // Cells changed since they were on screen: what is signed must be looked at again first.
    if (error.status === 409) mustLookAgain();
  }
}

function mustLookAgain() {
  button.textContent = "Look again";
  button.type = "button";
  button.addEventListener("click", () => location.reload());
}

form.addEventListener("submit", sign);
onReader(showSigner);
showSigner();

// What an earlier window left is sent first: the counts on screen must have it.
idle().then((sent) => sent.length && location.reload());

register("Sign", [
  ["r", "review the cells", () => location.assign("review")],
]);
