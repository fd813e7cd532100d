"""The page of a label audit shows every finding with its reason and its cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hemashift.audit import Audit, Finding
from hemashift.reports.audit_page import MOST_SHOWN, audit_sections, write_audit_report
from hemashift.reports.sections import Gallery, Notices


def audit_of(root: Path, *findings: Finding) -> Audit:
    return Audit(root, 40, {"monocyte": 3, "neutrophil": 20}, findings, "tiny <model>")


def test_findings_are_listed_and_shown(tmp_path: Path) -> None:
    Image.fromarray(np.full((30, 50, 3), 120, np.uint8)).save(tmp_path / "a.png")
    found = audit_of(
        tmp_path,
        Finding("copies", "error", "Two & two.", "Decide.", ("a.png", "gone.png"), ("A; b", "C")),
        Finding("unknown class", "note", "Odd names.", "Check.", ()),
    )
    page = tmp_path / "audit.html"
    write_audit_report(found, page)
    text = page.read_text(encoding="utf-8")
    assert "Two &amp; two. Decide." in text
    assert "Copies (error)" in text
    assert text.count("data:image/jpeg;base64,") == 1
    assert "no picture" in text
    assert "tiny &lt;model&gt;" in text
    assert "thin: fewer than 5" in text
    assert "http" not in text.split("<body")[1]
    sections = audit_sections(found)
    serious, notes = (part for part in sections if isinstance(part, Notices))
    assert (list(serious.items), list(notes.items)) == (["Two & two."], ["Odd names."])
    (gallery,) = (part for part in sections if isinstance(part, Gallery))
    assert [list(item.lines) for item in gallery.items] == [["A", "b", "a.png"], ["C", "gone.png"]]


def test_long_findings_are_cut_and_say_so(tmp_path: Path) -> None:
    names = tuple(f"{i}.png" for i in range(MOST_SHOWN + 3))
    found = audit_of(tmp_path, Finding("wrong labels", "warning", "Many.", "Look.", names))
    (gallery,) = (part for part in audit_sections(found) if isinstance(part, Gallery))
    assert len(gallery.items) == MOST_SHOWN
    assert gallery.note == "Many. Look. 3 more are not shown."


def test_nothing_found_is_said(tmp_path: Path) -> None:
    write_audit_report(audit_of(tmp_path), tmp_path / "audit.html")
    text = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "Nothing suspicious was found." in text
    assert "To be looked at" not in text
