"""The report of a result as one self-contained HTML page."""

from __future__ import annotations

from hemashift.differential import wording
from hemashift.differential.core import Line
from hemashift.differential.exports import Galleries
from hemashift.differential.result import Result
from hemashift.reports.page import render_page
from hemashift.reports.sections import Facts, Gallery, Notices, Section, Table, Text, Thumbnail
from hemashift.reports.style import class_colours

TITLE = "Differential count"


def to_html(result: Result, galleries: Galleries) -> str:
    """Return the page.

    Args:
        result: The result.
        galleries: Class -> pictures of its cells, shown after the figures.

    Examples:
        >>> from hemashift.differential import Differential
        >>> page = to_html(Result(Differential.of({"neutrophil": 95, "basophil": 5})), {})
        >>> "5.0 %" in page, "1.6 to 11.3" in page, "DRAFT" in page
        (True, True, True)
    """
    colours = class_colours([*result.differential.counts, *galleries])
    return render_page(
        TITLE,
        [*_parts(result, colours), *_pictures(result, galleries, colours)],
        subtitle=result.subject.sample_id or result.project,
        made=result.signature.at if result.signature else None,
    )


def _parts(result: Result, colours: dict[str, str]) -> list[Section]:
    draft = [wording.STATUS["draft"] + "."] if result.status == "draft" else []
    coverage = f"{100 * result.differential.confidence:g} % limits"
    return [
        Notices("Draft", draft),
        Notices("Flags", [flag.sentence for flag in result.flags]),
        Table(
            "Count",
            ("Class", "Cells", "Value", "Unit", coverage),
            [_row(line) for line in result.differential.lines],
            colours=colours,
        ),
        Text("How to read it", [wording.method(result)]),
        Facts("About this result", wording.facts(result)),
    ]


def _row(line: Line) -> tuple[str, str, str, str, str]:
    value = wording.number(line.value) + (" %" if line.unit == "%" else "")
    unit = "of leucocytes" if line.unit == "%" else line.unit
    return line.name, f"{line.count:,}", value, unit, wording.limits(line)


def _pictures(result: Result, galleries: Galleries, colours: dict[str, str]) -> list[Section]:
    parts: list[Section] = []
    for name, pictures in galleries.items():
        count = result.differential.counts.get(name, len(pictures))
        parts.append(
            Gallery(
                name[:1].upper() + name[1:],
                [Thumbnail(name, (), picture, colours[name]) for picture in pictures],
                f"{len(pictures):,} of {count:,} cells" if len(pictures) < count else "",
            )
        )
    return parts
