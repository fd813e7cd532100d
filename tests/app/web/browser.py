"""What the tests in a real browser share: a server, and what a person does on a page."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from PIL import Image

from hemashift.app.project import Project
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.security import Access
from hemashift.app.web.server import create_app, listen

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

SIZES = {"1366x768": (1366, 768), "820x1180": (820, 1180)}
SHOWN = """() => document.readyState === "complete" && [...document.images].every(
    (image) => image.complete || image.loading === "lazy" || !image.getAttribute("src"))"""


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
            # Not "networkidle": a page that follows work asks again and again.
            self.page.wait_for_function(SHOWN)
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
