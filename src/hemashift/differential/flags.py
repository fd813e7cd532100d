"""Flags: what the user's rules say about a differential count."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hemashift.differential.core import Differential
from hemashift.errors import TableError

Direction = Literal["above", "below"]


@dataclass(frozen=True)
class FlagRule:
    """A rule, such as erythroblasts above 1 per 100.

    Attributes:
        name: The class.
        direction: Whether to flag values above or below the limit.
        limit: In percent for leucocytes, per 100 leucocytes for classes beside the count.
        message: What to say; by default the rule itself.
    """

    name: str
    direction: Direction
    limit: float
    message: str = ""


@dataclass(frozen=True)
class Flag:
    """A rule that holds for a count.

    Attributes:
        rule: The rule.
        value: The value found.
        low: Its lower limit.
        high: Its upper limit.
        sure: Whether the whole interval, not only the value, is beyond the limit.
        sentence: The flag in a sentence, with "possibly" where it is not sure.
    """

    rule: FlagRule
    value: float
    low: float
    high: float
    sure: bool
    sentence: str


def flags(differential: Differential, rules: Sequence[FlagRule]) -> tuple[Flag, ...]:
    """Return the flags of a count, in the order of the rules.

    A rule for a class that is not in the count says nothing, and so does a count without
    leucocytes.

    Examples:
        >>> count = Differential.of({"neutrophil": 100, "erythroblast": 4})
        >>> [flag] = flags(count, [FlagRule("erythroblast", "above", 1)])
        >>> print(flag.sentence)
        erythroblast 4.0 per 100 leucocytes (1.1 to 10.6) is above 1
    """
    found = (_flag(differential, rule) for rule in rules if rule.name in differential.counts)
    return tuple(flag for flag in found if flag is not None)


def _flag(differential: Differential, rule: FlagRule) -> Flag | None:
    line = differential.line(rule.name)
    above = rule.direction == "above"
    # Not defined compares as false, so a count without leucocytes raises no flag.
    if not (line.value > rule.limit if above else line.value < rule.limit):
        return None
    sure = line.low > rule.limit if above else line.high < rule.limit
    # 1.04 is above 1; written as 1.0 it would look like a mistake.
    digits = next((d for d in range(1, 6) if round(line.value, d) != rule.limit), 6)
    found = f"{line.name} {line.value:.{digits}f} {line.unit} ({line.low:.1f} to {line.high:.1f})"
    sentence = f"{found} is {'' if sure else 'possibly '}{rule.direction} {rule.limit:g}"
    if rule.message:
        sentence = f"{rule.message}: {sentence}"
    return Flag(rule, line.value, line.low, line.high, sure, sentence)


def read_flag_rules(path: str | Path) -> tuple[FlagRule, ...]:
    r"""Read rules from a TOML file.

    Each rule is a table `[[flag]]` with `class`, one of `above` and `below`, and, if wanted,
    `message`.

    Raises:
        TableError: It cannot be read, or a rule is not complete.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "flags.toml"
        >>> _ = file.write_text('[[flag]]\nclass = "erythroblast"\nabove = 1\n')
        >>> read_flag_rules(file)
        (FlagRule(name='erythroblast', direction='above', limit=1.0, message=''),)
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TableError("the rules for flags cannot be read", found=str(error), where=path) from (
            error
        )
    entries = document.get("flag", [])
    if set(document) - {"flag"} or not isinstance(entries, list):
        raise _wrong("the file holds something else than rules", ", ".join(document), str(path))
    return tuple(
        _rule(entry, f"{path}, rule {number}") for number, entry in enumerate(entries, start=1)
    )


def _rule(entry: Any, where: str) -> FlagRule:
    if not isinstance(entry, dict) or set(entry) - {"class", "above", "below", "message"}:
        raise _wrong("a rule has unknown keys", str(entry), where)
    name, message = entry.get("class"), entry.get("message", "")
    limits = [(key, entry[key]) for key in ("above", "below") if key in entry]
    if not isinstance(name, str) or not isinstance(message, str) or len(limits) != 1:
        raise _wrong("a rule is not complete", str(entry), where)
    direction, limit = limits[0]
    # TOML's true is a Python int too.
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise _wrong("the limit of a rule is no number", str(limit), where)
    return FlagRule(name, "above" if direction == "above" else "below", float(limit), message)


def _wrong(message: str, found: str, where: str) -> TableError:
    return TableError(
        message,
        expected='[[flag]] with class = "...", and above = a number or below = a number',
        found=found,
        where=where,
    )
