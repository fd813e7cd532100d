"""The report of a result as PDF, for paper and for archives."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from hemashift.differential import wording
from hemashift.differential.exports import Galleries
from hemashift.differential.report import TITLE
from hemashift.differential.result import Result
from hemashift.errors import MissingExtraError
from hemashift.reports.page import NOT_A_DEVICE
from hemashift.reports.style import class_colours

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

_FONT = "DejaVu"
_MISSING = "\N{REPLACEMENT CHARACTER}"
_PICTURE = 16.0  # mm
_GAP = 2.0  # mm
_COLUMNS = (38, 18, 20, 42, 42)
_HEADINGS = ("Class", "Cells", "Value", "Unit")


def to_pdf(result: Result, galleries: Galleries) -> bytes:
    """Return the report as PDF, A4; the same result gives the same pages.

    The letters are those of DejaVu Sans, which has Latin, Greek, Cyrillic and more. A letter that
    it lacks, as of Chinese, is replaced by a sign and the report says so.

    Args:
        result: The result.
        galleries: Class -> pictures of its cells, JPEG or PNG files.

    Raises:
        MissingExtraError: fpdf2 is not installed.
    """
    writer = _Writer(result)
    writer.heading(TITLE, 18)
    if result.status == "draft":
        writer.paragraph(wording.STATUS["draft"] + ".", bold=True)
    writer.count(result)
    writer.paragraph(wording.method(result))
    for flag in result.flags:
        writer.paragraph(f"Flag: {flag.sentence}", bold=True)
    writer.heading("About this result", 12)
    for name, value in wording.facts(result):
        writer.paragraph(f"{name}: {value}")
    colours = class_colours([*result.differential.counts, *galleries])
    for name, pictures in galleries.items():
        if pictures:
            writer.gallery(name, pictures, colours[name])
    return writer.content()


class _Writer:
    """Puts parts one below the other onto pages."""

    def __init__(self, result: Result) -> None:
        self._pdf = _document()
        self._replaced = False
        self._which = self._writable(wording.which(result))
        self._pdf.set_title(self._writable(f"{TITLE} {result.subject.sample_id}".strip()))
        if result.signature is not None:
            self._pdf.set_creation_date(result.signature.at)
        # FPDF calls this at the end of each page.
        self._pdf.footer = self._footer  # type: ignore[method-assign]
        self._pdf.add_page()

    def heading(self, text: str, points: float) -> None:
        self._pdf.ln(2)
        self._line(text, points, bold=True)
        self._pdf.ln(1)

    def paragraph(self, text: str, *, bold: bool = False) -> None:
        self._line(text, 9, bold=bold)
        self._pdf.ln(0.6)

    def count(self, result: Result) -> None:
        """Write the table of the count."""
        limits = f"{100 * result.differential.confidence:g} % limits"
        self._pdf.set_font(_FONT, size=9)
        with self._pdf.table(
            col_widths=_COLUMNS,
            text_align=("LEFT", "RIGHT", "RIGHT", "LEFT", "RIGHT"),
            borders_layout="HORIZONTAL_LINES",
            align="LEFT",
            width=sum(_COLUMNS),
        ) as table:
            table.row([*_HEADINGS, limits])
            for line in result.differential.lines:
                unit = "% of leucocytes" if line.unit == "%" else line.unit
                cells = (line.name, f"{line.count:,}", wording.number(line.value), unit)
                table.row([self._writable(cell) for cell in (*cells, wording.limits(line))])
        self._pdf.ln(2)

    def gallery(self, name: str, pictures: Sequence[bytes], colour: str) -> None:
        """Write the pictures of a class in rows, each in a frame of the class's colour."""
        pdf = self._pdf
        if pdf.will_page_break(_PICTURE + 14):
            pdf.add_page()
        self.heading(f"{name} ({len(pictures)} shown)", 10)
        pdf.set_draw_color(*(int(colour[place : place + 2], 16) for place in (1, 3, 5)))
        a_row = int((pdf.epw + _GAP) // (_PICTURE + _GAP))
        for start in range(0, len(pictures), a_row):
            if pdf.will_page_break(_PICTURE + _GAP):
                pdf.add_page()
            top = pdf.get_y()
            for place, picture in enumerate(pictures[start : start + a_row]):
                left = pdf.l_margin + place * (_PICTURE + _GAP)
                pdf.image(
                    io.BytesIO(picture),
                    x=left,
                    y=top,
                    w=_PICTURE,
                    h=_PICTURE,
                    keep_aspect_ratio=True,
                    alt_text=self._writable(name),
                )
                pdf.rect(left, top, _PICTURE, _PICTURE)
            pdf.set_y(top + _PICTURE + _GAP)

    def content(self) -> bytes:
        if self._replaced:
            self.paragraph(
                f"Letters shown as {_MISSING} are not in the font of this file; the HTML report "
                "has them all."
            )
        return bytes(self._pdf.output())

    def _line(self, text: str, points: float, *, bold: bool) -> None:
        self._pdf.set_font(_FONT, "B" if bold else "", points)
        height = 0.5 * points
        self._pdf.multi_cell(
            0, height, self._writable(text), align="L", new_x="LMARGIN", new_y="NEXT"
        )

    def _writable(self, text: str) -> str:
        """Replace what the font lacks."""
        known = cast("TTFFont", self._pdf.fonts[_FONT.lower()]).cmap
        safe = "".join(one if ord(one) in known or one == "\n" else _MISSING for one in text)
        self._replaced = self._replaced or safe != text
        return safe

    def _footer(self) -> None:
        pdf = self._pdf
        pdf.set_y(-15)
        pdf.set_font(_FONT, size=7)
        pdf.multi_cell(
            0, 3.5, f"{NOT_A_DEVICE}\n{self._which}, page {pdf.page_no()} of {{nb}}", align="C"
        )


def _document() -> FPDF:
    try:
        from fpdf import FPDF
    except ImportError as error:
        raise MissingExtraError(
            "writing PDF needs fpdf2, which is not installed", hint="pip install fpdf2"
        ) from error
    import matplotlib

    # matplotlib brings the font along; those built into PDF have Western letters only.
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(True, margin=18)
    pdf.add_font(_FONT, "", folder / "DejaVuSans.ttf")
    pdf.add_font(_FONT, "B", folder / "DejaVuSans-Bold.ttf")
    pdf.set_creator("hemashift")
    return pdf
