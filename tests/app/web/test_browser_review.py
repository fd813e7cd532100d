"""Reviewing in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hemashift.app import explaining, reviewing

from .browser import (
    Looker,
    Site,
    assert_accessible,
    assert_fits,
    open_page,
    say_who,
    wait_saved,
)
from .conftest import CLASSES

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Route


def test_what_the_model_put_outside_is_confirmed(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    cells = reviewing.gallery(project)
    reviewing.reclassify(project, reader="B", cells=cells[2:], bin="monocyte", event="e")
    with project.store.writing() as connection:
        connection.executemany(
            "UPDATE predictions SET outside = ? WHERE cell = ?",
            [(1.25, cells[0]), (1.5, cells[1])],
        )
    page = open_page(context, [])
    page.goto(labelling_site.address("differential"))
    page.click("text=Look at them")
    page.wait_for_selector("#gallery [role=option]:has-text('1.25')")
    assert "2 cells that only the model put here" in page.inner_text("[data-note=outside]")
    page.click("#reader")
    say_who(page, "A")
    page.focus("#gallery")
    page.wait_for_selector("#card:has-text('1.25 times as far')")
    Looker(page)("review-outside")
    page.focus("#gallery")
    page.keyboard.press("Enter")
    wait_saved(page)
    page.wait_for_selector("#card:has-text('1.50 times as far')")
    page.keyboard.press("4")
    wait_saved(page)
    page.wait_for_function("() => !document.querySelector('#unconfirmed').innerText")
    views = reviewing.cells(project, cells[:2])
    assert [(view.bin, view.by) for view in views] == [("outside", "A"), (CLASSES[3], "A")]
    page.focus("#gallery")
    page.keyboard.press("4")  # the last one: nothing is left to look at
    page.wait_for_selector("#none:has-text('No cell is in “outside”.')")
    assert "Choose a cell" in page.inner_text("#card")


def test_cells_are_seen_in_every_window(context: BrowserContext, labelling_site: Site) -> None:
    long = "Hohenzollernsigmaringen" * 4
    labelling_site.project.add_class(long, by=long)
    page = open_page(context, [])
    page.goto(labelling_site.address("review"))
    page.click("#reader")
    say_who(page, long)
    page.click("[data-bin='']")
    page.wait_for_selector("#gallery [role=option] .badge")
    sizes = [(1366, 768), (1024, 768), (1024, 700), (910, 512), (683, 384), (390, 844)]
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        box = page.locator("#gallery").bounding_box()
        assert box is not None and box["height"] >= 200, (width, height)
        assert_fits(page, f"review at {width}x{height}")
    for step in ("sign", "differential", "project", "adapt"):
        page.goto(labelling_site.address(step))
        assert_fits(page, step)


def test_cells_are_dragged_onto_a_class(context: BrowserContext, labelling_site: Site) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("review"))
    page.click("[data-bin='']")
    page.wait_for_selector("#gallery [role=option] .badge")
    name = page.get_attribute("#gallery [data-index='2'] img", "src")
    assert name is not None
    page.click("#reader")
    say_who(page, "A")
    with page.expect_response("**/api/move"):
        page.drag_and_drop("#gallery [data-index='2']", "[data-bin=eosinophil]")
    (view,) = reviewing.cells(labelling_site.project, [int(name.split("/")[-3])])
    assert (view.bin, view.source, view.by) == ("eosinophil", "review", "A")


def test_the_map_of_why_is_laid_over_the_cell(
    context: BrowserContext, labelling_site: Site
) -> None:
    pytest.importorskip("torch")
    problems: list[str] = []
    page = open_page(context, problems)
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/why/" in sent.url else None)
    page.goto(labelling_site.address("review"))
    page.click("[data-bin='']")
    page.wait_for_selector("#card .why button[aria-pressed=false]")
    assert asked == []  # nothing is computed before it is wanted
    page.focus("#gallery")
    page.keyboard.press("w")
    page.wait_for_selector("#card .why p:has-text('no proof')")
    predicted = reviewing.cells(labelling_site.project, [int(asked[0].split("/")[-3])])[0].predicted
    assert predicted is not None and predicted in page.inner_text("#card .why p")
    (_, wide, place), (words, map_wide, map_place) = page.eval_on_selector_all(
        "#card > .cell img",
        "found => found.map(one => [one.alt, one.naturalWidth, "
        "JSON.stringify(one.getBoundingClientRect())])",
    )
    assert predicted in words
    assert (map_wide, map_place) == (wide, place)  # it lies exactly over the cell
    assert_accessible(page, "review with a map")
    # It stays for the next cell, until it is hidden by the button.
    page.focus("#gallery")
    page.keyboard.press("ArrowRight")
    while len(asked) < 2:
        page.wait_for_timeout(50)
    page.wait_for_selector("#card .why button[aria-pressed=true]")
    assert page.get_attribute("#card .map", "src") in asked[1] != asked[0]
    page.click("#card .why button")
    page.wait_for_selector("#card .map", state="detached")
    assert page.inner_text("#card .why p") == ""
    assert problems == []


def test_without_pytorch_the_key_says_what_to_install(
    context: BrowserContext, labelling_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "find_spec", lambda name: None)
    page = open_page(context, [])
    page.goto(labelling_site.address("review"))
    page.wait_for_selector("#card .chances")
    assert page.locator("#card .why").count() == 0
    page.keyboard.press("w")
    page.wait_for_selector("#notices :text('[train]')")


def test_only_cells_in_sight_are_elements_of_the_page(
    context: BrowserContext, labelling_site: Site
) -> None:
    cells = labelling_site.project.store.rows("SELECT id FROM cells WHERE status = 'ready'")
    many = [row[0] for row in cells] * 1000
    page = open_page(context, [])
    page.route(
        "**/api/gallery?*",
        lambda route: route.fulfill(json={"cells": many, "bins": dict.fromkeys(CLASSES, 0)}),
    )
    page.goto(labelling_site.address("review"))
    page.wait_for_selector("#gallery [role=option]")
    assert page.locator("#gallery [role=option]").count() < 200
    page.focus("#gallery")
    page.keyboard.press("End")
    page.wait_for_selector(f"#gallery [aria-posinset='{len(many)}'].active")
    assert page.locator("#gallery [role=option]").count() < 200


def test_cells_that_were_never_in_sight_are_confirmed_too(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    cells = reviewing.gallery(project)
    reviewing.reclassify(project, reader="B", cells=cells, bin="monocyte", event="e")
    page = open_page(context, [])
    below = True  # as if all cells but the first lay below the edge of the window

    def answer(route: Route) -> None:
        address, ids = route.request.url.split("?ids=")
        first = str(cells[0])
        if not below:
            route.continue_()
        elif first in ids.split(","):
            route.continue_(url=f"{address}?ids={first}")
        else:
            route.fulfill(json=[])

    page.route("**/api/cells?*", answer)
    page.goto(labelling_site.address("review"))
    page.click("[data-bin='']")
    page.wait_for_selector("#gallery [role=option] .badge")
    page.click("#reader")
    say_who(page, "A")
    below = False
    page.focus("#gallery")
    page.keyboard.press("Control+a")
    with page.expect_response("**/api/move"):
        page.keyboard.press("Enter")
    assert {view.by for view in reviewing.cells(project, cells)} == {"A"}


def test_enter_after_a_click_does_not_press_the_button_again(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    cells = reviewing.gallery(project, sort="path")
    reviewing.reclassify(project, reader="B", cells=cells, bin="monocyte", event="e")
    page = open_page(context, [])
    page.goto(labelling_site.address("review"))
    page.click("#reader")
    say_who(page, "A")
    page.click("[data-bin=monocyte]")
    page.wait_for_selector("#gallery [role=option] .badge")

    def said_by_a() -> list[str]:
        wait_saved(page)
        return sorted(view.bin for view in reviewing.cells(project, cells) if view.by == "A")

    page.click("[data-move=basophil]")
    with page.expect_response("**/api/move"):
        page.keyboard.press("Enter")  # the next cell is right as it is
    assert said_by_a() == ["basophil", "monocyte"]
    # A key that is held moves one cell.
    for _ in range(4):
        page.keyboard.down("2")
    page.keyboard.up("2")
    assert said_by_a() == ["basophil", "eosinophil", "monocyte"]
    # On many keyboards [ and ] are written with AltGr, which comes as Ctrl and Alt.
    keys = "{key: ']', ctrlKey: true, altKey: true, modifierAltGraph: true, bubbles: true}"
    page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {keys}))")
    page.wait_for_selector("[data-bin=neutrophil][aria-pressed=true]")


def test_cells_that_are_gone_are_not_asked_for_again_and_again(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "/api/cells?" in sent.url else None)
    # Another window has imported the folder without the images since the gallery was listed.
    page.route("**/api/cells?*", lambda route: route.fulfill(json=[]))
    page.goto(labelling_site.address("review"))
    page.click("[data-bin='']")
    page.wait_for_selector("#gallery [role=option]")
    counts = [0]
    while not counts[-1] or counts[-1] != counts[-2]:
        page.wait_for_timeout(1000)
        counts.append(len(asked))
        assert len(counts) < 20, counts
