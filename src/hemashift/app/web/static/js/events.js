// Progress of work in the background: asked for again and again, each time in a short request.
// A stream for each piece of work would keep a connection; browsers have six for all windows.

import { call, Refused } from "./api.js";

const OFTEN = 100; // milliseconds
const SELDOM = 500;
const PATIENCE = 10_000;

const pause = (time) => new Promise((wake) => setTimeout(wake, time));

/**
 * Follow one piece of work. `onProgress` gets its states, the last one included; the promise
 * resolves to the last. It rejects where the server no longer knows the work, as after a new
 * start, or does not answer for some seconds.
 */
export async function follow(job, onProgress = () => {}) {
  let wait = OFTEN;
  let answered = Date.now();
  for (;;) {
    try {
      const state = await call(`jobs/${job}`);
      answered = Date.now();
      onProgress(state);
      if (state.state !== "running") return state;
    } catch (error) {
      const away = error instanceof Refused && (error.status === 0 || error.status >= 500);
      if (!away || Date.now() - answered > PATIENCE) throw error;
    }
    await pause(wait);
    wait = Math.min(SELDOM, 2 * wait);
  }
}

/** Follow all work that runs, and what it starts in turn, until none is left. */
export async function followAll(onProgress, jobs = undefined) {
  let running = jobs ?? (await call("jobs"));
  let last;
  while (running.length) {
    const ends = await Promise.all(running.map((one) => follow(one.job, onProgress)));
    last = ends.at(-1);
    running = await call("jobs");
  }
  return last;
}
