"""A project of a few drawn cells, and a browser without a window that asks its server."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from hemashift.app.importing import refresh
from hemashift.app.project import Project
from hemashift.app.web import work
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.security import Access
from hemashift.app.web.server import create_app
from hemashift.demo.drawn import draw_cell

from .browser import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Route

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # milliseconds; on a busy machine everything takes its time
CLASSES = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")
ORIGIN = "http://127.0.0.1:8765"


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of recent projects is not the user's."""
    monkeypatch.setenv("HEMASHIFT_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cells and one file that is no image."""
    folder = tmp_path_factory.mktemp("drawn") / "smears"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(12):
        name = CLASSES[number % len(CLASSES)]
        Image.fromarray(draw_cell(name, rng)).save(folder / f"{number:02d}.png")
    (folder / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def images(drawn: Path, tmp_path: Path) -> Path:
    """The drawn cells in a folder of this test."""
    return Path(shutil.copytree(drawn, tmp_path / "smears"))


class Page:
    """What a page of the browser does: asks with its cookie, its origin and its CSRF header."""

    def __init__(self, client: TestClient, project: Project, access: Access) -> None:
        self.client = client
        self.project = project
        self.access = access
        self.at = f"/p/{id_of(project.images)}"

    def get(self, path: str, **arguments: Any) -> Any:
        return self.client.get(self.at + path, **arguments)

    def post(self, path: str, **body: Any) -> Any:
        headers = {
            "Origin": ORIGIN,
            "X-CSRF-Token": self.access.csrf,
            "Accept": "application/json",
        }
        return self.client.post(f"{self.at}/api/{path}", json=body, headers=headers)

    def act(self, path: str, **body: Any) -> Any:
        """Do something new as the reader A; it must succeed."""
        done = self.post(path, **{"event": uuid.uuid4().hex, "reader": "A", **body})
        assert done.status_code == 200, done.text
        return done.json()

    def propose(self, n: int) -> list[int]:
        """Propose cells and wait for them."""
        job = self.project.jobs.get(self.act("propose", n=n)["job"])
        assert job is not None
        cells: list[int] = job.wait(600).result
        return cells


@pytest.fixture
def access() -> Access:
    """Secrets of one run."""
    return Access.make("127.0.0.1", 8765)


@pytest.fixture
def stranger(images: Path, access: Access) -> Iterator[TestClient]:
    """A browser that has not been given the address."""
    projects = Projects([images])
    app = create_app(projects, access)
    with TestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def page(stranger: TestClient, images: Path, access: Access) -> Page:
    """A page that was opened with the address, of a project whose images are imported."""
    assert stranger.get(access.address()).status_code == 200
    project = stranger.app.state.projects.get(id_of(images))  # type: ignore[attr-defined]
    refresh(project)
    return Page(stranger, project, access)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is; the test is skipped where there is none."""
    found = os.environ.get("HEMASHIFT_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no Chromium here: install it, or set HEMASHIFT_CHROMIUM")
    pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


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


@pytest.fixture
def labelling_site(images: Path, open_site: Callable[[Path], Site]) -> Site:
    """A project of twelve drawn cells, classified."""
    site = open_site(images)
    work.bring_in(site.project).wait()
    while running := site.project.jobs.running():
        running[0].wait()  # galleries are sorted by what the model says
    return site
