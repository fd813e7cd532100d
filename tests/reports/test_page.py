"""Pages are whole, safe and readable without seeing the pictures."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from hemashift.errors import HemashiftError
from hemashift.reports.page import NOT_A_DEVICE, check_page, render_page, write_page
from hemashift.reports.sections import (
    Facts,
    Gallery,
    Notices,
    Number,
    Numbers,
    Pictures,
    Plate,
    Section,
    Table,
    Text,
    Thumbnail,
    data_uri,
)

EVIL = "<script>alert('x')</script> & \"more\""
PIXELS = np.zeros((8, 8, 3), np.uint8)


class Outline(HTMLParser):
    """Collect tags with their attributes, and check that they are closed in order."""

    EMPTY = ("meta", "img", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def every_section(text: str = "plain") -> list[Section]:
    return [
        Numbers(text, [Number(text, text, text)], note=text),
        Notices(text, [text]),
        Notices(text, [text], serious=False),
        Text(text, [text]),
        Facts(text, [(text, text)]),
        Table(text, [text, "n"], [[text, "1"]], note=text, colours={text: "#000000"}),
        Pictures(text, [Plate(PIXELS, text, text)], note=text),
        Gallery(text, [Thumbnail(text, [text, text], PIXELS, "#000000"), Thumbnail(text, [text])]),
    ]


def test_every_text_is_escaped() -> None:
    page = render_page(EVIL, every_section(EVIL), subtitle=EVIL)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 20
    Outline(page)


def test_the_page_asks_nothing_of_the_network() -> None:
    outline = Outline(render_page("Title", every_section()))
    assert not outline.all("script") and not outline.all("link")
    assert all(str(image["src"]).startswith("data:image/") for image in outline.all("img"))
    assert all(str(link["href"]).startswith("#") for link in outline.all("a"))
    policy = next(m for m in outline.all("meta") if "http-equiv" in m)
    assert "default-src 'none'" in str(policy["content"])


def test_the_page_can_be_read_by_a_screen_reader() -> None:
    page = render_page("Title", every_section("words"))
    outline = Outline(page)
    assert outline.all("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in outline.all("img"))
    assert {cell["scope"] for cell in outline.all("th")} == {"col", "row"}
    headings = {h["id"] for h in outline.all("h2")}
    assert {s["aria-labelledby"] for s in outline.all("section")} == headings
    assert len(outline.all("h1")) == 1


def test_light_dark_and_print_are_provided_for() -> None:
    page = render_page("Title", [])
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_sections_without_content_are_left_out() -> None:
    page = render_page("Title", [Notices("Read this first", []), Text("Here", ["words"])])
    assert "Read this first" not in page
    assert "Here" in page


def test_every_page_says_that_it_is_no_medical_device(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", "Title", [], made=datetime(2024, 5, 1, 12, 30))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert NOT_A_DEVICE in page
    assert "01 May 2024, 12:30" in page


def test_columns_of_numbers_are_found() -> None:
    table = Table(
        "t", ["name", "n", "gain", "word"], [["a", "12", "\u22121", "x"], ["b", "", "+2", ""]]
    )
    assert table.numeric == [False, True, True, False]
    with pytest.raises(ValueError, match="as long"):
        Table("t", ["a", "b"], [["1"]])


def test_pictures_of_every_kind_become_text() -> None:
    figure = Figure()
    figure.add_subplot()
    assert data_uri(figure).startswith("data:image/svg+xml;base64,")
    assert data_uri(PIXELS).startswith("data:image/jpeg;base64,")
    png = b"\x89PNG and so on"
    assert base64.b64decode(data_uri(png).split(",")[1]) == png
    with pytest.raises(ValueError, match="no PNG"):
        data_uri(b"<html>")


def test_the_list_at_the_top_can_leave_sections_out():
    sections = [Text(f"Part {number}", ["words"]) for number in range(6)]
    page = render_page("Long", sections, contents=sections[1:5])
    links = re.findall(r'<a href="#(part-\d+)">(.*?)</a>', page)
    assert links == [(f"part-{number + 1}", f"Part {number}") for number in range(1, 5)]
    assert all(f'id="{target}"' in page for target, _ in links)


def test_a_page_replaces_pages_only(tmp_path: Path) -> None:
    page, labels = tmp_path / "page.html", tmp_path / "labels.csv"
    labels.write_text("path,label\n")
    page.write_text("an earlier page")
    check_page(page, [labels, None])
    check_page(tmp_path / "new", [labels])
    with pytest.raises(HemashiftError, match="overwrite the labels"):
        check_page(labels, [labels])
    with pytest.raises(HemashiftError, match="a file that is none"):
        check_page(labels)
    with pytest.raises(HemashiftError, match="is a folder"):
        check_page(tmp_path)
