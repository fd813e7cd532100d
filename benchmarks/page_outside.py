"""What share of known cells the page puts `outside`, and what its error rate comes to.

    python benchmarks/page_outside.py jiangxi_tecom [--labels 40] [--draws 6] [--data ROOT]
                                      [--folder runs/page_outside]

Makes projects of the page from the known cells of a dataset, labels cells with their true class,
either drawn at random or those that the page proposes (20 at a time, from 85 % of the cells, drawn
anew each time), and adapts by probe. A line a draw tells about the cells without a label: the share
that is put outside, the share that keeps its class at a rate of 0.05, and the error among these.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from hemashift.app import encodings, importing, labelling, proposing, versions
from hemashift.app.adapting import adapt_project
from hemashift.app.classifying import classify_project
from hemashift.app.keeping import keeping
from hemashift.app.placing import place
from hemashift.app.project import Project
from hemashift.datasets import load
from hemashift.errors import WorseModelError
from hemashift.images import read_image
from hemashift.taxonomy import CLASSES
from hemashift.trust.storage import read_trust

AT_ONCE = 20


def write_cells(name: str, root: Path | None, folder: Path) -> dict[str, str]:
    """Write the known cells of a dataset as images, once, and return their classes."""
    table = load(name, root)
    truth = {}
    folder.mkdir(parents=True, exist_ok=True)
    for number, (path, label) in enumerate(zip(table.paths(), table.frame["class"], strict=True)):
        if label in CLASSES:
            file = folder / f"{number:05d}.png"
            truth[file.name] = str(label)
            if not file.exists():
                Image.fromarray(read_image(path)).save(file)
    return truth


def unadapted(project: Project) -> float:
    """Return the share of the cells that the model as it comes finds outside."""
    importing.refresh(project)
    encodings.encode_all(project)
    model = versions.bundle(project)
    outside = read_trust(model).outside
    assert outside is not None
    rows = project.store.rows("SELECT sha256 FROM cells WHERE status = 'ready'")
    scores = outside.scores(encodings.of_model(project, model).of([row[0] for row in rows]))
    return float((scores > 1).mean())


def label(project: Project, truth: dict[str, str], count: int, proposed: bool, seed: int) -> None:
    """Label so many cells with their true class."""
    rows = project.store.rows("SELECT id, path FROM cells WHERE status = 'ready' ORDER BY path")
    names = {row[0]: row[1] for row in rows}
    drawn = np.random.default_rng(seed).permutation(list(names))[:count].tolist()
    while drawn:
        batch = proposing.propose(project, AT_ONCE) if proposed else drawn[:AT_ONCE]
        for cell in batch:
            said, event = truth[names[cell]], uuid.uuid4().hex
            labelling.record(project, reader="A", cell=cell, label=said, event=event)
        drawn = drawn[AT_ONCE:]


def describe(project: Project, truth: dict[str, str]) -> tuple[float, str]:
    """Return the share of unlabelled cells that are outside, and a line about them."""
    adapt_project(project, by="A", method="probe")
    classify_project(project)
    views = [view for view in place(project) if view.source == "model"]
    outside = [view.bin == "outside" for view in views]
    kept = [view for view in views if view.bin not in ("outside", "unidentified")]
    wrong = [view.predicted != truth[view.path] for view in kept]
    share = float(np.mean(outside))
    rule = keeping(project).rule
    return share, (
        f"{len(views)} cells, outside {share:.3f}, kept {len(kept) / len(views):.3f}, error "
        f"{np.mean(wrong) if wrong else 0:.3f}, threshold {rule.threshold:.2f}, "
        f"{'promised' if rule.promised else 'not promised'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset")
    parser.add_argument("--labels", type=int, default=40)
    parser.add_argument("--draws", type=int, default=6)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--folder", type=Path, default=Path("runs/page_outside"))
    options = parser.parse_args()
    images = options.folder / options.dataset / "cells"
    os.environ["HEMASHIFT_HOME"] = str(images.parent / "home")
    truth = write_cells(options.dataset, options.data, images)
    with Project.open(images) as project:
        print(f"before adaptation: {unadapted(project):.3f} of {len(truth)} outside", flush=True)
        known = project.cache / "encodings"
    for how in ("random", "proposed"):
        shares = []
        for seed in range(options.draws):
            files = np.random.default_rng([seed, 1]).permutation(list(truth))
            files = files[: round(0.85 * len(files))] if how == "proposed" else files
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch) / "cells"
                folder.mkdir()
                for file in files:
                    shutil.copy(images / file, folder / file)
                with Project.open(folder) as project:
                    shutil.copytree(known, project.cache / "encodings", dirs_exist_ok=True)
                    importing.refresh(project)
                    label(project, truth, options.labels, how == "proposed", seed)
                    try:
                        share, line = describe(project, truth)
                    except WorseModelError:
                        print(how, seed, "refused: worse than the model as it comes", flush=True)
                        continue
            shares.append(share)
            print(how, seed, line, flush=True)
        if shares:
            print(
                f"{how}: {np.mean(shares):.3f} ({min(shares):.3f} to {max(shares):.3f})", flush=True
            )


if __name__ == "__main__":
    main()
