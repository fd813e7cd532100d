"""The formats that a result can be written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hemashift.differential.result import Result
from hemashift.errors import HemashiftError
from hemashift.files import atomic_write

Format = Literal["html", "pdf", "csv", "json", "fhir", "hl7"]
Galleries = Mapping[str, Sequence[bytes]]
"""Class -> pictures of its cells, JPEG or PNG files."""


@dataclass(frozen=True)
class FormatFacts:
    """What is to be known of a format.

    Attributes:
        suffix: End of the file's name.
        media_type: For HTTP.
        title: For people.
    """

    suffix: str
    media_type: str
    title: str


FORMATS: dict[Format, FormatFacts] = {
    "html": FormatFacts(".html", "text/html; charset=utf-8", "Report with pictures (HTML)"),
    "pdf": FormatFacts(".pdf", "application/pdf", "Report with pictures (PDF)"),
    "csv": FormatFacts(".csv", "text/csv; charset=utf-8", "Table (CSV)"),
    "json": FormatFacts(".json", "application/json", "Everything, for programs (JSON)"),
    "fhir": FormatFacts(".fhir.json", "application/fhir+json", "FHIR bundle (R4, R5)"),
    "hl7": FormatFacts(".hl7", "x-application/hl7-v2+er7", "HL7 v2.5.1 message (ORU^R01)"),
}


def render(result: Result, form: Format, galleries: Galleries | None = None) -> bytes:
    r"""Return a result as the content of a file.

    Args:
        result: What to write.
        form: One of `FORMATS`.
        galleries: Pictures for the HTML and PDF reports.

    Raises:
        HemashiftError: There is no such format.
        MissingExtraError: PDF, and fpdf2 is not installed.

    Examples:
        >>> from hemashift.differential import Differential
        >>> render(Result(Differential.of({"neutrophil": 100})), "hl7")[:9]
        b'MSH|^~\\&|'
    """
    if form == "pdf":
        from hemashift.differential.pdf import to_pdf

        return to_pdf(result, galleries or {})
    return _text(result, form, galleries or {}).encode("utf-8")


def _text(result: Result, form: Format, galleries: Galleries) -> str:
    # Each imported when it is needed: the HTML report draws on matplotlib.
    match form:
        case "html":
            from hemashift.differential.report import to_html

            return to_html(result, galleries)
        case "csv":
            from hemashift.differential.csv_file import to_csv

            return to_csv(result)
        case "json":
            from hemashift.differential.json_file import to_json

            return to_json(result)
        case "fhir":
            from hemashift.differential.fhir import to_fhir

            return to_fhir(result)
        case "hl7":
            from hemashift.differential.hl7 import to_hl7

            return to_hl7(result)
    raise HemashiftError("unknown format", expected=", ".join(FORMATS), found=str(form))


def write_result(
    result: Result, form: Format, path: str | Path, galleries: Galleries | None = None
) -> None:
    """Write a result to a file, whole or not at all; arguments and errors as `render`."""
    content = render(result, form, galleries)
    with atomic_write(path) as aside:
        aside.write_bytes(content)
