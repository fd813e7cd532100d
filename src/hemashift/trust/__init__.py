"""How far to trust an answer: sets with stated coverage, a limit on errors, "not one of these"."""
