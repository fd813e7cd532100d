// Numbers of things in words.

/** "1 cell", "2 cells". */
export function plural(n, word = "cell") {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
