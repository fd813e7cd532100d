"""How the demonstration tells what it does, so that it needs to know nothing of terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Telling(Protocol):
    """Who is told what happens."""

    def step(self, title: str) -> None:
        """A step begins."""

    def command(self, words: Sequence[str]) -> None:
        """The step is what this command does; the words are those of the command line."""

    def note(self, text: str) -> None:
        """Something worth knowing."""

    def warning(self, text: str) -> None:
        """Something that must not be overlooked."""

    def progress(self, done: int, total: int | None) -> None:
        """How far the step is; `total` is None where nobody knows."""


class Silent:
    """Tells nobody."""

    def step(self, title: str) -> None:
        """Do nothing."""

    def command(self, words: Sequence[str]) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def warning(self, text: str) -> None:
        """Do nothing."""

    def progress(self, done: int, total: int | None) -> None:
        """Do nothing."""
