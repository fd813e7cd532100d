"""A differential count: how many cells of each class, in percent, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from hemashift.differential.roles import Role, role_of
from hemashift.evaluation.intervals import clopper_pearson

_UNITS = {Role.LEUCOCYTE: "%", Role.PER_100: "per 100 leucocytes"}


@dataclass(frozen=True)
class Line:
    """A class in a differential count.

    Attributes:
        name: The class.
        count: Cells of it.
        role: What it is in the count.
        value: Percent of the leucocytes, or cells per 100 leucocytes; NaN if not defined.
        low: Lower exact limit, in the same unit; NaN if not defined.
        high: Upper exact limit, in the same unit; NaN if not defined.
    """

    name: str
    count: int
    role: Role
    value: float
    low: float
    high: float

    @property
    def unit(self) -> str:
        """Unit of value and limits."""
        return _UNITS.get(self.role, "")


@dataclass(frozen=True)
class Differential:
    """A differential count (CLSI H20-A2).

    Leucocytes are in the count. Erythroblasts and other nucleated cells that are no leucocytes
    are reported per 100 leucocytes and are not in the denominator.

    Attributes:
        counts: Class -> cells, in the order of reports; classes without cells included.
        roles: Class -> what it is in the count.
        confidence: Coverage of all limits, 0..1.

    Examples:
        >>> count = Differential.of({"neutrophil": 95, "basophil": 5, "erythroblast": 3})
        >>> for line in count.lines:
        ...     print(f"{line.name} {line.value:.2f} {line.unit} ({line.low:.2f}, {line.high:.2f})")
        neutrophil 95.00 % (88.72, 98.36)
        basophil 5.00 % (1.64, 11.28)
        erythroblast 3.00 per 100 leucocytes (0.61, 9.02)
    """

    counts: Mapping[str, int]
    roles: Mapping[str, Role]
    confidence: float = 0.95

    @classmethod
    def of(
        cls,
        counts: Mapping[str, int] | Iterable[tuple[str, int]],
        *,
        roles: Mapping[str, Role] | None = None,
        confidence: float = 0.95,
    ) -> Self:
        """Make a differential from counts.

        Args:
            counts: Class and number of cells.
            roles: What classes are in the count, where `role_of` is not to decide.
            confidence: Coverage of all limits, 0..1.

        Raises:
            ValueError: A count is negative, or a class comes twice.
        """
        pairs = list(counts.items() if isinstance(counts, Mapping) else counts)
        found = {name: int(count) for name, count in pairs}
        if len(found) != len(pairs):
            raise ValueError("a class comes twice in a differential count")
        if any(count < 0 for count in found.values()):
            raise ValueError("a differential count holds a negative number of cells")
        given = roles or {}
        return cls(found, {name: given.get(name) or role_of(name) for name in found}, confidence)

    @property
    def leucocytes(self) -> int:
        """Number of leucocytes: the denominator."""
        return self._sum(Role.LEUCOCYTE)

    @property
    def unidentified(self) -> int:
        """Number of cells not identified yet."""
        return self._sum(Role.UNIDENTIFIED)

    @property
    def outside(self) -> int:
        """Number of cells that are not reported."""
        return self._sum(Role.OUTSIDE)

    @property
    def lines(self) -> tuple[Line, ...]:
        """The classes that are reported: leucocytes first, then those per 100 leucocytes."""
        return tuple(
            self.line(name) for role in _UNITS for name in self.counts if self.roles[name] is role
        )

    def line(self, name: str) -> Line:
        """Return one class of the count.

        Leucocytes have the exact limits of Clopper and Pearson, the table of Rümke. A number per
        100 leucocytes is 100 p / (1 - p), where p is the share of the class in the class and the
        leucocytes together; so are its limits, from those of p, and they are exact too.

        Raises:
            KeyError: The class is not in the count.
        """
        count, role = self.counts[name], self.roles[name]
        if role not in _UNITS or self.leucocytes == 0:
            return Line(name, count, role, np.nan, np.nan, np.nan)
        n = self.leucocytes + (count if role is Role.PER_100 else 0)
        share = clopper_pearson(count, n, self.confidence)
        values = [share.estimate, share.low, share.high]
        if role is Role.PER_100:
            values = [p / (1 - p) for p in values]
        return Line(name, count, role, *(100 * value for value in values))

    def _sum(self, role: Role) -> int:
        return sum(count for name, count in self.counts.items() if self.roles[name] is role)
