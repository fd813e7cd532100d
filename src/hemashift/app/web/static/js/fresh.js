// Bring parts of the page up to date without losing what is typed in others.

/** Replace the elements of these ids by those of the page as the server gives it now. */
export async function refresh(...ids) {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ids) {
    const now = fresh.getElementById(id);
    const old = document.getElementById(id);
    if (now && old) old.replaceWith(document.adoptNode(now));
  }
}
