// Talking to the server: JSON in, JSON out, errors in plain words.

const csrf = document.querySelector('meta[name="csrf-token"]').content;
export const project = document.body.dataset.project ?? "";

/** An answer other than success. `status` is 0 where the server could not be reached. */
export class Refused extends Error {
  constructor(status, message, hint = "") {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** Send a request to the project's part of the server and return what it answers. */
export async function call(path, body = undefined, { method, signal } = {}) {
  const options = { method: method ?? (body === undefined ? "GET" : "POST"), signal };
  options.headers = { Accept: "application/json" };
  if (options.method !== "GET") {
    options.headers["X-CSRF-Token"] = csrf;
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  let answer;
  try {
    answer = await fetch(`/p/${project}/api/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "hemashift does not answer.", "Is it still running in the terminal?");
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Refused(answer.status, content.message ?? "Something went wrong.", content.hint);
  }
  return content;
}

/** Read the data that the server put into the page. */
export function pageData(id = "data") {
  return JSON.parse(document.getElementById(id).textContent);
}
