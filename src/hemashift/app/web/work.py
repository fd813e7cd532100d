"""What runs in the background, and what follows upon it by itself."""

from __future__ import annotations

from hemashift.adaptation.unlabelled import UNLABELLED
from hemashift.app import versions
from hemashift.app.adapting import adapt_project
from hemashift.app.classifying import classify_project
from hemashift.app.encodings import encode_all
from hemashift.app.filing import Imported
from hemashift.app.importing import refresh
from hemashift.app.jobs import Job
from hemashift.app.project import Project
from hemashift.app.proposing import propose as propose_cells
from hemashift.progress import StageProgress


def bring_in(project: Project) -> Job:
    """Import what is new in the folder; then encode and classify it."""

    def work(told: StageProgress) -> Imported:
        found = refresh(project, told)
        encode_and_classify(project)
        return found

    return project.jobs.start("import", work)


def encode_and_classify(project: Project) -> Job:
    """Encode the cells; then classify them with the active model."""

    def work(told: StageProgress) -> int:
        count = encode_all(project, told)
        classify(project)
        return count

    return project.jobs.start("encode", work)


def classify(project: Project) -> Job:
    """Classify the cells with the active model; what an earlier model was doing is ended."""
    running = project.jobs.latest("classify")
    if running is not None:
        running.cancel()
        running.wait()
    return project.jobs.start("classify", lambda told: classify_project(project, told=told))


def adapt(project: Project, by: str) -> Job:
    """Adapt the model to the labels; then classify the cells with it."""

    def work(told: StageProgress) -> int:
        made = adapt_project(project, by=by, told=told)
        classify(project)
        return made.number

    return project.jobs.start("adapt", work)


def propose(project: Project, n: int, label: str | None = None) -> Job:
    """Choose cells to label; the same wish, repeated while it is fulfilled, is the same work."""
    # A class of one's own is another wish, which must not be lost beside the usual one.
    kind = "propose" if label is None else f"propose {label}"
    return project.jobs.start(kind, lambda told: propose_cells(project, n, label=label, told=told))


def catch_up(project: Project) -> Job | None:
    """Classify again what an earlier hemashift classified without saying what is outside."""
    found = project.store.value(
        "SELECT EXISTS (SELECT 1 FROM predictions JOIN versions ON version = number "
        "WHERE version = ? AND outside IS NULL AND origin <> 'start' AND method <> ?)",
        versions.active_number(project),
        UNLABELLED,
    )
    return classify(project) if found else None
