// Live progress: server-sent events of work in the background.

import { call, project } from "./api.js";

/**
 * Follow one piece of work. `onProgress` gets every state of it, the last one included; the
 * promise resolves to the last. After a lost connection the browser goes on where it left off.
 */
export function follow(job, onProgress = () => {}) {
  return new Promise((resolve) => {
    const source = new EventSource(`/p/${project}/api/jobs/${job}/events`);
    source.addEventListener("progress", (event) => onProgress(JSON.parse(event.data)));
    source.addEventListener("end", (event) => {
      source.close();
      const last = JSON.parse(event.data);
      onProgress(last);
      resolve(last);
    });
  });
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
