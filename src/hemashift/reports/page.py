"""Pages: one HTML file that holds its style and pictures and asks nothing of the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write, check_file, check_spares
from hemashift.reports.sections import Section, data_uri

NOT_A_DEVICE = (
    "For research. hemashift is not a medical device: its results must not be used to "
    "diagnose, treat or monitor a patient."
)


def check_page(path: str | Path, inputs: Iterable[str | Path | None] = ()) -> None:
    """Refuse a place at which no page can be written, or where it would replace another file.

    Args:
        path: The page to write.
        inputs: Files that are read, see `hemashift.files.check_spares`.

    Raises:
        HemashiftError: There is a file of another kind or one of the inputs, or nothing can be
            written.
    """
    check_file(path)
    check_spares(path, inputs, "the labels")
    if Path(path).exists() and Path(path).suffix.lower() not in (".html", ".htm"):
        raise HemashiftError(
            "the page would overwrite a file that is none",
            expected="a name in .html",
            where=path,
            hint="name another file",
        )


def render_page(
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    made: datetime | None = None,
    contents: Sequence[Section] | None = None,
) -> str:
    """Return a page as HTML text.

    The page is one file without scripts and without links to other places; it follows the
    reader's choice of light or dark, and prints in black on white. Every text is escaped.

    Args:
        title: Heading of the page.
        sections: Its parts, in order; see `hemashift.reports.sections`.
        subtitle: A line below the heading.
        made: When; shown in the footer.
        contents: Those of `sections` that the list at the top leads to; by default all.

    Examples:
        >>> from hemashift.reports.sections import Text
        >>> page = render_page("Cells & more", [Text("Remarks", ["1 < 2"])])
        >>> "Cells &amp; more" in page, "1 &lt; 2" in page
        (True, True)
    """
    # Escape always: the default would go by the suffix of the template.
    environment = Environment(
        loader=PackageLoader("hemashift.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    shown = [part for part in sections if _has_content(part)]
    return environment.get_template("page.html").render(
        title=title,
        subtitle=subtitle,
        sections=shown,
        links=[
            (number, part.title)
            for number, part in enumerate(shown, start=1)
            if contents is None or any(part is one for one in contents)
        ],
        made=made.strftime("%d %B %Y, %H:%M") if made else "",
        disclaimer=NOT_A_DEVICE,
    )


def write_page(
    path: str | Path,
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    made: datetime | None = None,
    contents: Sequence[Section] | None = None,
) -> None:
    """Write a page to a file; arguments as `render_page`."""
    page = render_page(title, sections, subtitle=subtitle, made=made, contents=contents)
    with atomic_write(path) as aside:
        aside.write_text(page, encoding="utf-8")


def _has_content(part: Section) -> bool:
    return bool(
        getattr(part, "items", ()) or getattr(part, "rows", ()) or getattr(part, "paragraphs", ())
    )
