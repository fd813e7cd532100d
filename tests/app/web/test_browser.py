"""The page in a real browser, on real cells: from the first label to the signed report."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from PIL import Image

from hemashift.app import explaining, labelling, reviewing, signing
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.app.web import work
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.security import Access
from hemashift.app.web.server import create_app, listen

from .conftest import CLASSES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds; on a busy machine everything takes its time
SIZES = {"1366x768": (1366, 768), "820x1180": (820, 1180)}
# The dataset's own numbers, see its readme.
NUMBERS = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


class Site:
    """A server in this process, so that a test can look at the project behind the page."""

    def __init__(self, folder: Path) -> None:
        self.projects = Projects([folder])
        self.taken = listen("127.0.0.1", 0)
        self.access = Access.make("127.0.0.1", self.taken.getsockname()[1])
        self.name = id_of(folder)
        app = create_app(self.projects, self.access)
        self.server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, args=([self.taken],))
        self.thread.start()

    @property
    def project(self) -> Project:
        found = self.projects.get(self.name)
        assert found is not None
        return found

    def address(self, step: str) -> str:
        return self.access.address(f"/p/{self.name}/{step}")

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def open_site() -> Iterator[Callable[[Path], Site]]:
    """Starts servers; they end with the test."""
    sites: list[Site] = []

    def start(folder: Path) -> Site:
        sites.append(Site(folder))
        return sites[-1]

    yield start
    for site in sites:
        site.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser with its own storage, from which nothing but this machine can be reached."""
    made = browser.new_context(
        viewport={"width": 1366, "height": 768},
        reduced_motion="reduce",  # contrast is measured on colours that have arrived
    )
    made.set_default_timeout(PATIENCE)
    beyond: list[str] = []

    def check(route: Route) -> None:
        if re.match(r"https?://127\.0\.0\.1:\d+/", route.request.url):
            route.continue_()
        else:
            beyond.append(route.request.url)
            route.abort()

    made.route("**/*", check)
    yield made
    made.close()
    assert beyond == []


def open_page(context: BrowserContext, problems: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    return page


def say_who(page: Page, name: str) -> None:
    page.wait_for_selector("#who[open]")
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def next_step(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press(".")


def shown_cell(page: Page) -> int:
    page.wait_for_selector("#plain[src]")
    source = page.get_attribute("#plain", "src")
    assert source is not None
    return int(source.split("/")[-3])


def wait_saved(page: Page) -> None:
    page.wait_for_selector('#saved[data-state="saved"]')


def assert_accessible(page: Page, step: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found: list[dict[str, Any]] = axe.Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], step


def assert_fits(page: Page, step: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{step} must be scrolled sideways"


class Looker:
    """Looks at a step in both window sizes, and keeps pictures where they are wanted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        wanted = os.environ.get("HEMASHIFT_SCREENSHOTS")
        self.folder = Path(wanted) if wanted else None

    def __call__(self, step: str) -> None:
        for size, (width, height) in reversed(SIZES.items()):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("scrollTo(0, 0)")
            self.page.wait_for_load_state("networkidle")
            assert_fits(self.page, f"{step} at {size}")
            if self.folder is not None:
                self.page.wait_for_timeout(600)
                self._keep(self.folder / f"app-{step}-{size}.png")
        assert_accessible(self.page, step)
        self.page.emulate_media(color_scheme="dark")
        assert_accessible(self.page, f"{step}, dark")
        self.page.emulate_media(color_scheme="light")

    def _keep(self, path: Path) -> None:
        """Write a picture for the documentation: 256 colours, and no larger than 150 kB."""
        whole = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        for percent in (100, 80, 70, 60):
            size = (whole.width * percent // 100, whole.height * percent // 100)
            scaled = whole.resize(size, Image.Resampling.LANCZOS)
            picture = scaled.quantize(256, kmeans=1, dither=Image.Dither.NONE)
            picture.save(path, optimize=True)
            if path.stat().st_size < 150_000:
                return


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
    page.wait_for_selector("svg[aria-label*='Accuracy after']")
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


@pytest.fixture
def labelling_site(images: Path, open_site: Callable[[Path], Site]) -> Site:
    """A project of twelve drawn cells, classified."""
    site = open_site(images)
    work.bring_in(site.project).wait()
    while running := site.project.jobs.running():
        running[0].wait()  # galleries are sorted by what the model says
    return site


def test_labels_wait_in_the_browser_until_the_server_is_back(
    context: BrowserContext, labelling_site: Site
) -> None:
    page = open_page(context, [])
    page.goto(labelling_site.address("label"))
    say_who(page, "A")
    first = shown_cell(page)
    page.route("**/api/label", lambda route: route.abort())
    page.keyboard.press("1")
    second = shown_cell(page)
    page.keyboard.press("2")
    page.wait_for_selector('#saved[data-state="waiting"]')
    assert labelling.verdicts(labelling_site.project, "A") == {}
    page.unroute("**/api/label")
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
    page.wait_for_selector("#notices :text('hemashift[train]')")


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
