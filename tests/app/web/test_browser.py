"""The page in a real browser, on real cells: from the first label to the signed report."""

from __future__ import annotations

import csv
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hemashift.app import labelling, reviewing, signing
from hemashift.app.jobs import Jobs
from hemashift.differential import FlagRule
from hemashift.progress import StageProgress

from .browser import (
    Looker,
    Site,
    next_step,
    open_page,
    say_who,
    shown_cell,
    wait_saved,
)
from .conftest import CLASSES

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext


# The dataset's own numbers, see its readme.
NUMBERS = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}


@pytest.fixture
def real_cells(real_data: Path, tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Sixty cells of the Jiangxi dataset with their classes."""
    source = real_data / "jiangxi_tecom"
    table = source / "Class Labels of Dataset 1.csv"
    if not table.is_file():
        pytest.skip("the dataset jiangxi_tecom is not there")
    with table.open(encoding="utf-8") as stream:
        rows = [(f"{int(row['image ID']):03d}.bmp", row) for row in csv.DictReader(stream)]
    chosen = {name: NUMBERS[row["class label"]] for name, row in rows[:60]}
    folder = tmp_path / "blood-smear"
    folder.mkdir()
    for name in chosen:
        shutil.copy(source / "Dataset 1" / name, folder)
    (folder / "scan-61.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    return folder, chosen


def test_from_the_first_label_to_the_signed_report(
    context: BrowserContext,
    open_site: Callable[[Path], Site],
    real_cells: tuple[Path, dict[str, str]],
) -> None:
    folder, truth = real_cells
    site = open_site(folder)
    problems: list[str] = []
    page = open_page(context, problems)
    look = Looker(page)

    def class_of(cell: int) -> str:
        return truth[reviewing.cells(site.project, [cell])[0].path]

    # Project: a folder of images, and nothing else, becomes a project.
    page.goto(site.address("project"))
    page.wait_for_function(
        "() => document.querySelector('[data-count=classified]').innerText === '60'"
    )
    page.wait_for_selector("#work", state="hidden")
    assert "scan-61.png" in page.inner_text("#problem-list")
    look("project")

    # Label: with the keyboard alone.
    next_step(page)
    say_who(page, "A. B.")
    for number in range(32):
        if number == 20:
            page.wait_for_selector("#nothing:not([hidden])")
            page.keyboard.press("m")
        page.wait_for_selector("#stage:not([hidden]) #plain[src]")
        cell = shown_cell(page)
        if number == 3:  # a wrong key, and undone
            page.keyboard.press("u")
            page.keyboard.press("z")
            page.wait_for_function(
                f"() => document.querySelector('#plain').src.includes('/{cell}/')"
            )
        page.keyboard.press(str(1 + CLASSES.index(class_of(cell))))
        if number == 12:
            wait_saved(page)
            look("label")
    wait_saved(page)
    said = labelling.verdicts(site.project, "A. B.")
    assert len(said) == 32
    assert all(one.label == class_of(cell) for cell, one in said.items())

    # Adapt.
    next_step(page)
    page.wait_for_selector("#adapt:not(:disabled)")
    page.keyboard.press("a")
    page.wait_for_selector("svg[aria-label*='Accuracy after'][aria-label*='All cells expected']")
    page.wait_for_selector("#work", state="hidden")
    assert "in use" in page.inner_text("#results")
    look("adapt")

    # Review: every unidentified cell is given its class, and a whole class is confirmed.
    next_step(page)
    page.wait_for_selector("#gallery [role=option] .badge, #none:not([hidden])")
    for bin in ("unidentified", "outside"):
        page.click(f"[data-bin={bin}]")
        page.wait_for_function(
            f"() => document.querySelector('#title').innerText[0] === '{bin[0]}'"
        )
        assert page.locator(f"[data-note={bin}]").is_visible()
        while reviewing.bins(site.project)[bin]:
            name = page.get_attribute("#gallery .active img", "src")
            assert name is not None
            page.keyboard.press(str(1 + CLASSES.index(class_of(int(name.split("/")[-3])))))
            wait_saved(page)
    page.click("[data-bin=neutrophil]")
    page.wait_for_function(
        "() => document.querySelector('#title').innerText.startsWith('neutrophil')"
    )
    page.wait_for_selector("#card .chances")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => document.querySelector('#what').innerText.startsWith('3 cells')")
    look("review")
    page.keyboard.press("Enter")
    wait_saved(page)

    # Differential.
    next_step(page)
    page.wait_for_selector(".counts")
    page.click("#add-rule")
    page.select_option(".rule select >> nth=0", "lymphocyte")
    page.fill(".rule input", "10")
    page.click("#settings button:text-is('Keep')")
    page.wait_for_selector(".advice:has-text('lymphocyte')")
    assert "promised" in page.inner_text("#settings")
    look("differential")

    # Sign, and take the report home.
    next_step(page)
    page.wait_for_selector("#signing")
    page.check("#sure")
    page.click("#signing button")
    page.wait_for_selector("text=signed and locked")
    look("sign")
    with page.expect_download() as started:
        page.click("section.signed a:has-text('JSON')")
    taken = json.loads(started.value.path().read_text(encoding="utf-8"))
    assert "A. B." in json.dumps(taken)
    with page.expect_download() as started:
        page.click("section.signed a:has-text('HTML')")
    assert "A. B." in started.value.path().read_text(encoding="utf-8")
    signed = signing.results(site.project)
    assert [one.by for one in signed] == ["A. B."]
    assert problems == []


def test_keys_are_shown_and_left_alone_in_fields(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("project"))
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open] kbd:text-is('l')")
    page.keyboard.press("l")  # the overlay is in front
    page.keyboard.press("Escape")
    page.focus("#sample_id")
    page.keyboard.type("l.?")
    assert page.input_value("#sample_id") == "l.?"
    assert page.url.endswith("/project")


def test_a_class_that_does_not_occur_is_unticked(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("project"))
    page.get_by_label("erythroblast occurs").click()
    say_who(page, "A. B.")
    page.wait_for_selector("#notices :text('erythroblast: does not occur here')")
    assert labelling_site.project.absent() == ("erythroblast",)
    page.reload()
    assert not page.get_by_label("erythroblast occurs").is_checked()
    # At least two must occur: what is refused is ticked again.
    for name in CLASSES[:5]:
        if name != "erythroblast":
            with page.expect_response("**/api/occurs"):
                page.get_by_label(f"{name} occurs").click()
    page.wait_for_selector("#notices .alarm")
    assert len(labelling_site.project.absent()) == 4
    assert page.locator("input[name=occurs]:checked").count() == 2


def test_work_is_shown_in_any_number_and_given_up_when_it_is_lost(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    go_on = threading.Event()

    def slow(told: StageProgress) -> None:
        told("waiting", 1, 2)
        go_on.wait(600)

    for number in range(8):  # more than a browser has connections
        project.jobs.start(f"kind {number}", slow)
    page = open_page(context, [])
    page.goto(labelling_site.address("project"))
    page.wait_for_selector(".stages li:nth-child(8) .number:text('1 of 2')")
    assert page.is_disabled("#import")
    # As after the server was killed and started again.
    project.jobs = Jobs()
    page.wait_for_selector("#notices :text('started anew')")
    page.wait_for_selector("#import:not(:disabled)")
    assert page.locator("#work").is_hidden()
    go_on.set()


def test_a_flag_about_a_class_that_is_not_listed_is_shown_and_kept(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    rules = (FlagRule("an earlier class", "above", 1), FlagRule("monocyte", "below", 2))
    project.set_flag_rules(rules, by="A")
    page = open_page(context, [])
    page.goto(labelling_site.address("differential"))
    shown = page.locator(".rule select[aria-label=Class]")
    assert [shown.nth(i).input_value() for i in range(2)] == [rule.name for rule in rules]
    page.fill("#max-error", "3")
    page.click("#settings button:text-is('Keep')")
    with page.expect_navigation():
        say_who(page, "A")
    assert project.max_error() == 0.03 and project.flag_rules() == rules


def test_windows_do_not_set_back_what_another_has_set(
    context: BrowserContext, labelling_site: Site
) -> None:
    project = labelling_site.project
    windows = [open_page(context, []) for _ in range(2)]
    for page in windows:
        page.goto(labelling_site.address("differential"))
    first, second = windows
    first.click("#add-rule")
    first.fill(".rule input", "10")
    first.click("#settings button:text-is('Keep')")
    with first.expect_navigation():
        say_who(first, "A")
    second.fill("#max-error", "3")
    second.click("#settings button:text-is('Keep')")
    with second.expect_navigation():
        say_who(second, "A")
    assert len(project.flag_rules()) == 1 and project.max_error() == 0.03
    for page in windows:
        page.goto(labelling_site.address("project"))
    first.fill("#sample_id", "S 1")
    first.click("#subject button")
    first.wait_for_selector("#notices :text('details are kept')")
    second.fill("#laboratory", "Here")
    second.click("#subject button")
    second.wait_for_selector("#notices :text('details are kept')")
    second.fill("#laboratory", "There")  # once more, in the same window
    with second.expect_response("**/api/subject") as answer:
        second.click("#subject button")
    assert answer.value.status == 200
    assert (project.subject().sample_id, project.subject().laboratory) == ("S 1", "There")


def test_a_table_that_is_not_utf_8_is_refused(
    context: BrowserContext, labelling_site: Site, tmp_path: Path
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("project"))
    text = "path,label\n00.png,Métamyélocyte\n"
    (tmp_path / "labels.csv").write_bytes(text.encode("cp1252"))
    page.set_input_files("#label-file", tmp_path / "labels.csv")
    say_who(page, "A")
    page.wait_for_selector(".notice.alarm:has-text('not in UTF-8')")
    assert labelling.readers(labelling_site.project) == ()
    (tmp_path / "labels.csv").write_bytes(text.encode("utf-8-sig"))
    page.set_input_files("#label-file", tmp_path / "labels.csv")
    page.wait_for_selector("#notices :text('1 label was taken')")
    assert "\ufffd" not in "".join(labelling_site.project.classes())
