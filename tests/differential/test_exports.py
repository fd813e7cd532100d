"""Every format, written and read back by a library of the field where there is one."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hemashift.differential import Differential, Result, Signature, Subject
from hemashift.differential.csv_file import to_csv
from hemashift.differential.exports import FORMATS, render, write_result
from hemashift.differential.json_file import from_json, to_json
from hemashift.differential.loinc import loinc_term, panel
from hemashift.errors import HemashiftError, TableError
from hemashift.taxonomy import CLASSES, default_taxonomy

from .conftest import NAME


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_written_whole(form: Any, signed: Result, tmp_path: Path) -> None:
    if form == "pdf":
        pytest.importorskip("fpdf")
    file = tmp_path / f"result{FORMATS[form].suffix}"
    write_result(signed, form, file)
    assert file.stat().st_size > 500
    assert list(tmp_path.iterdir()) == [file]


def test_an_unknown_format_is_refused(signed: Result) -> None:
    with pytest.raises(HemashiftError, match="unknown format"):
        render(signed, "xls")  # type: ignore[arg-type]


def test_json_is_read_back(signed: Result, draft: Result) -> None:
    assert from_json(to_json(signed)) == signed
    assert from_json(to_json(draft)) == draft


def test_json_holds_limits_for_others(signed: Result) -> None:
    document = json.loads(to_json(signed))
    basophil = next(line for line in document["lines"] if line["name"] == "basophil")
    assert (basophil["value"], basophil["unit"]) == (2.5, "%")
    assert document["leucocytes"] == 200


def test_json_without_numbers_has_null() -> None:
    document = json.loads(to_json(Result(Differential.of({"neutrophil": 0}))))
    assert document["lines"][0]["value"] is None


@pytest.mark.parametrize(
    "change", [{"version": 99}, {"format": "else"}, {"counts": None}, {"counts": {"x": 1e400}}]
)
def test_json_of_something_else_is_refused(change: dict[str, Any], signed: Result) -> None:
    text = json.dumps({**json.loads(to_json(signed)), **change})
    with pytest.raises(TableError):
        from_json(text)


def test_csv(signed: Result) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(signed))))
    assert [row["class"] for row in rows] == list(signed.differential.counts)
    by_name = {row["class"]: row for row in rows}
    assert by_name["basophil"]["value"] == "2.5000"
    assert by_name["basophil"]["loinc"] == "707-0"
    assert by_name["erythroblast"]["unit"] == "per 100 leucocytes"
    assert by_name["outside"]["value"] == ""
    assert {row["status"] for row in rows} == {"amended"}


def test_csv_holds_no_formula(draft: Result) -> None:
    for name in ("=1+1", "+1", "-1", "@x"):
        rows = list(
            csv.DictReader(io.StringIO(to_csv(replace(draft, subject=Subject(sample_id=name)))))
        )
        assert rows[0]["sample_id"] == "'" + name


def test_html_shows_all_and_escapes_it(signed: Result, picture: bytes) -> None:
    page = render(signed, "html", {"neutrophil": [picture] * 3}).decode()
    assert page.count("data:image/jpeg;base64,") == 3 and "3 of 120 cells" in page
    for text in (
        "2.5 %",
        "0.8 to 5.7",
        "Dr. A. B.",
        "a slip",
        "per 100 leucocytes",
        "cdcdcd",
        "4 images that",
    ):
        assert text in page
    assert "<b>" not in re.sub(r"<b>[^<&]*</b>", "", page.split("About this result")[1])
    assert "&lt;b&gt;" in page and "DRAFT" not in page


def test_html_of_a_draft_says_so(draft: Result) -> None:
    assert "DRAFT" in render(draft, "html").decode()


def test_pdf_has_pages_pictures_and_letters(signed: Result, picture: bytes) -> None:
    pytest.importorskip("fpdf")
    few = render(signed, "pdf")
    many = render(signed, "pdf", {"neutrophil": [picture] * 60, "empty": []})
    assert few.startswith(b"%PDF-") and many.startswith(b"%PDF-")
    assert _pages(many) == 2 > _pages(few) == 1
    assert b"DejaVuSans" in few
    # The same result gives the same file; the letter it lacks is reported, never an error.
    assert render(signed, "pdf") == few
    assert "李" in NAME


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_codes_are_complete_for_the_six_classes() -> None:
    terms = {name: loinc_term(name) for name in CLASSES}
    assert all(term is not None and term.checked == "manual" for term in terms.values())
    assert panel().code == "69738-3"


def test_every_code_belongs_to_a_cell_type_and_is_a_loinc_number() -> None:
    """The last digit of a LOINC number checks the others (Luhn's algorithm)."""
    codes = [panel().code]
    for code in default_taxonomy().types:
        term = loinc_term(code)
        if term is not None:
            codes.append(term.code)
    assert len(codes) > 20 and len(set(codes)) == len(codes)
    for code in codes:
        number, check = code.split("-")
        digits = [int(digit) for digit in reversed(number)]
        doubled = [digit * 2 if place % 2 == 0 else digit for place, digit in enumerate(digits)]
        total = sum(digit - 9 if digit > 9 else digit for digit in doubled)
        assert (10 - total % 10) % 10 == int(check), code


def test_the_signer_of_a_first_version_is_final(signed: Result) -> None:
    assert signed.signature is not None
    first = replace(signed, signature=Signature("A", signed.signature.at, 1))
    assert json.loads(to_json(first))["status"] == "final"
