"""Measure how fast the page answers with many images: `python tests/app/web/load.py`.

Timings depend on the computer and what else it does, so this is a script and not a test.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import uvicorn
from PIL import Image

from hemashift.app.importing import refresh
from hemashift.app.project import Project
from hemashift.app.reviewing import reclassify
from hemashift.app.web.projects import Projects, id_of
from hemashift.app.web.security import Access
from hemashift.app.web.server import create_app, listen
from hemashift.demo.drawn import draw_cell

SIDE = 120
SCROLL = """async () => {
  const gallery = document.querySelector("#gallery");
  const gaps = [];
  let last = performance.now();
  const end = last + 4000;
  await new Promise((done) => {
    function frame(now) {
      gaps.push(now - last);
      last = now;
      gallery.scrollTop += 260;
      if (now < end) requestAnimationFrame(frame);
      else done();
    }
    requestAnimationFrame(frame);
  });
  gaps.sort((one, other) => one - other);
  return [gaps[gaps.length >> 1], gallery.querySelectorAll("[role=option]").length];
}"""


def draw_folder(folder: Path, count: int) -> None:
    """Write many different pictures of drawn cells."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    classes = ("basophil", "eosinophil", "erythroblast", "lymphocyte", "monocyte", "neutrophil")
    drawn = [Image.fromarray(draw_cell(name, rng)).resize((SIDE, SIDE)) for name in classes * 5]
    for number in range(count):
        shifted = np.asarray(drawn[number % len(drawn)]) + rng.integers(-9, 10, 3)
        pixels = np.clip(shifted, 0, 255).astype(np.uint8)
        pixels[0, 0] = number % 256, number // 256 % 256, number // 65536
        Image.fromarray(pixels).save(folder / f"{number:06d}.png", compress_level=1)


@contextmanager
def served(folder: Path) -> Iterator[tuple[Project, Access, str]]:
    """Serve the project of a folder."""
    projects = Projects([folder])
    taken = listen("127.0.0.1", 0)
    access = Access.make("127.0.0.1", taken.getsockname()[1])
    server = uvicorn.Server(uvicorn.Config(create_app(projects, access), log_level="error"))
    thread = threading.Thread(target=server.run, args=([taken],))
    thread.start()
    try:
        yield projects.opened()[0], access, f"/p/{id_of(folder)}"
    finally:
        server.should_exit = True
        thread.join()


def show(name: str, seconds: Sequence[float]) -> None:
    """Print a line of the table."""
    middle, worst = 1000 * statistics.median(seconds), 1000 * max(seconds)
    print(f"| {name} | {len(seconds)} | {middle:.1f} | {worst:.1f} |", flush=True)


def timed(name: str, times: int, ask: Callable[[], Any]) -> None:
    """Ask several times and print how long it took."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        ask().raise_for_status()
        seconds.append(time.perf_counter() - start)
    show(name, seconds)


def measure_server(client: httpx.Client, access: Access, at: str) -> None:
    """Measure pages and actions without a browser."""
    timed("first page", 1, lambda: client.get(access.address(f"{at}/project")))
    for step in ("project", "label", "adapt", "review", "differential", "sign"):
        timed(f"page {step}", 5, lambda step=step: client.get(f"{at}/{step}"))
    headers = {"Origin": access.origin, "X-CSRF-Token": access.csrf}
    cells = client.get(f"{at}/api/gallery").json()["cells"]
    coming = iter(cells)

    def act(path: str, **body: Any) -> httpx.Response:
        wish = {"event": uuid.uuid4().hex, "reader": "A", **body}
        return client.post(f"{at}/api/{path}", headers=headers, json=wish)

    timed("label", 50, lambda: act("label", cell=next(coming), label="neutrophil"))
    timed("move one cell", 20, lambda: act("move", cells=[next(coming)], bin="monocyte"))
    timed("move 2,000 cells", 3, lambda: act("move", cells=cells[-2000:], bin="monocyte"))
    timed("gallery of all cells", 5, lambda: client.get(f"{at}/api/gallery"))
    ids = ",".join(map(str, cells[:200]))
    timed("200 cells", 5, lambda: client.get(f"{at}/api/cells?ids={ids}"))
    timed(
        "small picture",
        100,
        lambda: client.get(f"{at}/pictures/x/{next(coming)}/as_is/grid"),
    )


def measure_browser(chromium: str, access: Access, at: str) -> None:
    """Measure what a person waits for."""
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        start = time.perf_counter()
        page.goto(access.address(f"{at}/project"))
        show("browser: first page", [time.perf_counter() - start])
        start = time.perf_counter()
        page.goto(f"{access.origin}{at}/review")
        page.click("[data-bin='']")
        page.wait_for_selector("#gallery [role=option] .badge")
        show("browser: gallery of all cells", [time.perf_counter() - start])
        frame, elements = page.evaluate(SCROLL)
        show("browser: a frame while scrolling (median)", [frame / 1000])
        print(f"\ncells that are elements of the page: {elements}")
        browser.close()


def main() -> None:
    """Run everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000)
    count = parser.parse_args().cells
    chromium = os.environ.get("HEMASHIFT_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["HEMASHIFT_HOME"] = scratch
        folder = Path(scratch) / "smears"
        draw_folder(folder, count)
        with served(folder) as (project, access, at):
            print("| what | times | median, ms | most, ms |\n|---|---|---|---|")
            start = time.perf_counter()
            refresh(project)
            show(f"import of {count:,} images", [time.perf_counter() - start])
            ids = [row[0] for row in project.store.rows("SELECT id FROM cells")]
            for place, name in enumerate(project.classes()):
                some = ids[place :: len(project.classes())]
                reclassify(project, reader="A", cells=some, bin=name, event=uuid.uuid4().hex)
            with httpx.Client(base_url=access.origin, follow_redirects=True, timeout=60) as client:
                measure_server(client, access, at)
            if chromium:
                measure_browser(chromium, access, at)


if __name__ == "__main__":
    main()
