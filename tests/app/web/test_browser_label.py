"""Labelling in a real browser: nothing that was answered is lost."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from hemashift.app import audit_trail, labelling
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.app.web import work

from .browser import (
    Looker,
    Site,
    open_page,
    say_who,
    shown_cell,
    wait_saved,
)
from .conftest import CLASSES

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Route


def test_labels_wait_in_the_browser_until_the_server_is_back(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    first = shown_cell(page)
    server = "away"

    def answer(route: Route) -> None:
        # Started anew, the server does not know this window; the user must learn it.
        refusal = {"message": "This window is not known.", "hint": "Open the new address."}
        if server == "away":
            route.abort()
        elif server == "strange":
            route.fulfill(status=403, json=refusal)
        else:
            route.fallback()

    page.route("**/api/label", answer)  # one to the end: requests may be on their way at any time
    page.keyboard.press("1")
    second = shown_cell(page)
    page.keyboard.press("2")
    page.wait_for_selector('#saved[data-state="waiting"]')
    assert labelling.verdicts(labelling_site.project, "A") == {}
    server = "strange"
    page.wait_for_selector("#notices :text('Open the new address.')")
    server = "back"
    wait_saved(page)
    said = labelling.verdicts(labelling_site.project, "A")
    assert {cell: one.label for cell, one in said.items()} == {
        first: CLASSES[0],
        second: CLASSES[1],
    }


def test_labels_of_a_window_that_was_closed_are_sent_by_the_next(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    cell = shown_cell(page)
    page.route("**/api/label", lambda route: route.abort())
    page.keyboard.press("4")
    page.wait_for_selector('#saved[data-state="waiting"]')
    page.close()
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    page.wait_for_selector("#plain[src]")
    wait_saved(page)
    said = labelling.verdicts(labelling_site.project, "A")
    assert {one: judged.label for one, judged in said.items()} == {cell: CLASSES[3]}
    assert shown_cell(page) != cell


def test_a_window_notices_that_another_has_sent_its_labels(
    context: BrowserContext, labelling_site: Site
) -> None:
    cut_off = open_page(context, [])
    cut_off.goto(labelling_site.address("label"))
    say_who(cut_off, "A")
    cell = shown_cell(cut_off)
    cut_off.route("**/api/**", lambda route: route.abort())
    cut_off.keyboard.press("4")
    cut_off.wait_for_selector('#saved[data-state="waiting"]')
    other = open_page(context, [])
    other.goto(labelling_site.address("label"))
    other.wait_for_selector("#plain[src]")
    wait_saved(cut_off)
    assert list(labelling.verdicts(labelling_site.project, "A")) == [cell]


def test_two_windows_at_once_lose_no_label(context: BrowserContext, labelling_site: Site) -> None:
    windows = [open_page(context, []) for _ in range(2)]
    for page, name in zip(windows, "AB", strict=True):
        page.goto(labelling_site.address("label"))
        if page.locator("#who[open]").count():
            say_who(page, name)
        else:  # the browser remembers the first reader
            page.click("#reader")
            page.fill("#who-name", name)
            page.keyboard.press("Enter")
        page.wait_for_selector("#plain[src]")
    for number in range(6):
        for page in windows:
            page.keyboard.press(str(1 + number))
    for page, name in zip(windows, "AB", strict=True):
        wait_saved(page)
        said = labelling.verdicts(labelling_site.project, name)
        assert sorted(str(one.label) for one in said.values()) == sorted(CLASSES)


def test_cells_are_chosen_while_others_are_labelled(
    context: BrowserContext, labelling_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen, go_on = work.propose_cells, threading.Event()

    def slow(project: Project, n: int, **wish: Any) -> list[int]:
        wish["told"]("choosing cells to label", 0, 1)
        assert go_on.wait(600)
        return chosen(project, n, **wish)

    problems: list[str] = []
    page = open_page(context, problems)
    work.propose(labelling_site.project, 6).wait()
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    first = shown_cell(page)
    monkeypatch.setattr(work, "propose_cells", slow)
    page.keyboard.press("m")
    page.wait_for_selector("#choosing progress")
    assert page.is_disabled("#more")
    Looker(page)("label-choosing")
    page.keyboard.press("1")
    page.wait_for_function(f"() => !document.querySelector('#plain').src.includes('/{first}/')")
    wait_saved(page)
    assert labelling.verdicts(labelling_site.project, "A")[first].label == CLASSES[0]
    now = shown_cell(page)
    page.reload()  # another window, or the same one again, joins in
    page.wait_for_selector("#choosing progress")
    go_on.set()
    page.wait_for_selector("#batch button:nth-child(7)")
    page.wait_for_selector("#choosing progress", state="detached")
    assert shown_cell(page) == now
    assert problems == []


def test_a_choice_of_cells_that_fails_is_told(
    context: BrowserContext, labelling_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> list[int]:
        raise ProjectError("the cells are gone", hint="look for new images")

    monkeypatch.setattr(work, "propose_cells", fail)
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    page.wait_for_selector(".notice.alarm:has-text('The cells are gone')")
    assert "The cells are gone" in page.inner_text("#nothing-text")
    assert "look for new images" in page.inner_text(".notice.alarm")
    assert page.is_enabled("#more")


def test_a_held_key_is_one_answer_and_a_cell_that_is_corrected_stays(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    first = shown_cell(page)
    for _ in range(4):  # the keyboard repeats it
        page.keyboard.down("1")
    page.keyboard.up("1")
    page.wait_for_selector("#where:text('Cell 2 of')")
    # A button that was clicked is not pressed on and on either.
    page.click("[data-label=monocyte]")
    for _ in range(4):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.wait_for_selector("#where:text('Cell 4 of')")
    wait_saved(page)
    assert len(labelling.verdicts(labelling_site.project, "A")) == 3
    # Arrows go on while they are held.
    for _ in range(3):
        page.keyboard.down("ArrowLeft")
    page.keyboard.up("ArrowLeft")
    assert shown_cell(page) == first
    with page.expect_response("**/api/label?*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(200)
    assert shown_cell(page) == first
    page.keyboard.press("2")  # corrected
    wait_saved(page)
    assert labelling.verdicts(labelling_site.project, "A")[first].label == CLASSES[1]


def test_differences_are_settled_one_by_one_and_taken_back(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    cells = work.propose(project, 3).wait().result
    for place, cell in enumerate(cells):
        for reader, label in (("A", "monocyte"), ("B", "lymphocyte" if place else "monocyte")):
            labelling.record(
                project, reader=reader, cell=cell, label=label, event=f"{reader}{place}"
            )
    problems: list[str] = []
    page = open_page(context, problems)
    page.goto(labelling_site.address("label"))
    page.wait_for_selector("#who[open]")
    page.keyboard.type("Consensus")
    page.keyboard.press("Enter")
    assert page.locator("#who[open]").count() == 1  # nobody's name
    page.fill("#who-name", "A")
    page.keyboard.press("Enter")
    for before, choice, after in (
        ("Settle 2 differences", "monocyte", "Settle 1 difference"),
        ("Settle 1 difference", "", "Settle 2 differences"),
    ):
        page.click(f"#agreement button:text-is('{before}')")
        page.locator("#differing select").first.select_option(choice)
        page.keyboard.press("Escape")
        page.wait_for_selector(f"#agreement button:text-is('{after}')")
    assert len(labelling.settled(project).disputed) == 2
    assert [one.by for one in audit_trail.entries(project) if one.action == "settle"] == ["A", "A"]
    assert problems == []
