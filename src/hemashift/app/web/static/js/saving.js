// Nothing is lost: what the user does is kept in the browser until the server has it.
//
// Every action gets an id of its own and an entry of its own in the browser's storage, so that
// windows do not overwrite each other's, and the server takes the same action only once.

import { call, project } from "./api.js";
import { complain } from "./notices.js";

const PREFIX = `hemashift/${project}/`;
const LONGEST_WAIT = 8000;
const indicator = document.getElementById("saved");
const waiting = []; // { entry, answered, resolve, reject }, in the order of the actions
let sending = false;
let pause = 0;
let told = false; // that this window must be opened anew

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function keep(entry) {
  try {
    localStorage.setItem(PREFIX + entry.id, JSON.stringify({ ...entry, kept: true }));
    entry.kept = true;
  } catch {
    // Storage is full or switched off; the entry is still in memory and on its way.
  }
}

/** Whether another window has sent it meanwhile. */
function sentElsewhere(entry) {
  try {
    return entry.kept && localStorage.getItem(PREFIX + entry.id) === null;
  } catch {
    return false;
  }
}

function forget(entry) {
  try {
    localStorage.removeItem(PREFIX + entry.id);
  } catch {
    // As above.
  }
}

function show(state) {
  const texts = {
    saved: "Saved",
    saving: "Saving…",
    waiting: `${waiting.length} not saved yet, trying again`,
  };
  indicator.dataset.state = state;
  indicator.textContent = texts[state];
}

/**
 * Send an action to the server, now or as soon as it can be reached.
 * Resolves to the server's answer; rejects only where the server refuses the action.
 */
export function save(path, body) {
  const entry = { id: newId(), path, body, at: new Date().toISOString() };
  keep(entry);
  return enqueue(entry);
}

function enqueue(entry) {
  const one = { entry };
  one.answered = new Promise((resolve, reject) => Object.assign(one, { resolve, reject }));
  waiting.push(one);
  send();
  return one.answered;
}

/** Resolves once everything that waits now has been answered. */
export function idle() {
  return Promise.allSettled(waiting.map((one) => one.answered));
}

async function send() {
  if (sending) return;
  sending = true;
  while (waiting.length) {
    if (indicator.dataset.state !== "waiting") show("saving");
    const { entry, resolve, reject } = waiting[0];
    try {
      const answer = await call(entry.path, { ...entry.body, event: entry.id, at: entry.at });
      waiting.shift();
      forget(entry);
      pause = 0;
      told = false;
      resolve(answer);
      if (indicator.dataset.state === "waiting") show("saving");
    } catch (error) {
      // Refused for what it says: it would be refused again. Everything else is tried again.
      if ([400, 404, 409, 413, 422].includes(error.status)) {
        waiting.shift();
        forget(entry);
        complain(error);
        reject(error);
        continue;
      }
      if (sentElsewhere(entry)) {
        waiting.shift();
        reject(error);
        continue;
      }
      // Started anew, the server has another address; what waits here is sent from there.
      if (error.status === 403 && !told) complain(error);
      told ||= error.status === 403;
      show("waiting");
      indicator.title = `${error.message} ${error.hint}`;
      pause = Math.min(LONGEST_WAIT, (pause || 250) * 2);
      await new Promise((wake) => setTimeout(wake, pause));
    }
  }
  show("saved");
  indicator.removeAttribute("title");
  sending = false;
}

/** Queue what an earlier window could not send. */
function resume() {
  const left = [];
  try {
    for (let place = 0; place < localStorage.length; place += 1) {
      const key = localStorage.key(place);
      if (key.startsWith(PREFIX)) left.push(JSON.parse(localStorage.getItem(key)));
    }
  } catch {
    return;
  }
  left.sort((one, other) => one.at.localeCompare(other.at));
  for (const entry of left) enqueue(entry).catch(() => {});
}

resume();

window.addEventListener("beforeunload", (event) => {
  if (waiting.length) event.preventDefault();
});
