"""The errors of hemashift: a small tree, every one with what to do about it.

All errors that a user can cause derive from `HemashiftError`. The command line turns
them into one message and an exit status; it never shows a traceback for them.
"""

from __future__ import annotations

import errno
from pathlib import Path


def visible(text: object) -> str:
    r"""Return a text with escapes in place of what does not print, such as the name of a file.

    Line breaks and the control sequences of terminals in a name could forge what is shown.

    Examples:
        >>> print(visible("cell\x1b[2J\n1.png"))
        cell\x1b[2J\n1.png
    """
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(text)
    )


class HemashiftError(Exception):
    """Base of every error that hemashift raises on purpose.

    Args:
        message: What went wrong, in one sentence.
        expected: What was expected instead.
        found: What was found.
        where: The file, folder, row or option concerned.
        hint: What the user can do about it.

    Examples:
        >>> error = HemashiftError("the label file is empty", where="labels.csv",
        ...                        hint="give one row a labelled cell")
        >>> print(error)
        the label file is empty
          where: labels.csv
          what to do: give one row a labelled cell
    """

    def __init__(
        self,
        message: str,
        *,
        expected: str | None = None,
        found: str | None = None,
        where: str | Path | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.expected = expected
        self.found = found
        self.where = None if where is None else str(where)
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        lines = [_indented(self.message)]
        for name, value in (
            ("expected", self.expected),
            ("found", self.found),
            ("where", None if self.where is None else visible(self.where)),
            ("what to do", self.hint),
        ):
            if value is not None:
                lines.append(f"  {name}: {_indented(value)}")
        return "\n".join(lines)


class ImageError(HemashiftError):
    """An image cannot be read, is refused, or is not what it claims to be."""


class TableError(HemashiftError):
    """A cell table or label file does not have the form it must have."""

    @classmethod
    def unreadable(cls, path: Path, error: Exception) -> TableError:
        """Say why a table could not be read, and what helps against a spreadsheet's encoding."""
        encoding = isinstance(error, UnicodeDecodeError)
        return cls(
            "the table cannot be read",
            found="text that is not UTF-8" if encoding else str(error),
            where=path,
            hint="save it as CSV in UTF-8" if encoding else None,
        )


class DatasetError(HemashiftError):
    """A dataset folder does not have the published layout."""


class TaxonomyError(HemashiftError):
    """A class, code or label is not known, or two meanings contradict each other."""


class ModelFileError(HemashiftError):
    """A model file is missing, damaged, of another version, or its hash differs."""


class AdaptationError(HemashiftError):
    """The labelled cells do not allow the adaptation that was asked for."""


class WorseModelError(AdaptationError):
    """The adapted model is worse than the one it started from, so it is not handed out."""


class MissingExtraError(HemashiftError):
    """A function needs packages of an optional extra that is not installed."""


class DownloadError(HemashiftError):
    """A download failed, or what came is not what was announced."""


def of_the_system(error: OSError) -> HemashiftError:
    """Say in our words what the operating system refused, such as to write to a full disk."""
    full = error.errno == errno.ENOSPC
    return HemashiftError(
        "the system refused to read or write a file",
        found=error.strerror or str(error),
        where=error.filename,
        hint="free some room on the disk, then do the same again"
        if full
        else "check the place, and that you may read and write there",
    )


def _indented(text: object) -> str:
    """Return a text whose further lines cannot be taken for lines of their own."""
    return "\n    ".join(map(visible, str(text).split("\n")))
