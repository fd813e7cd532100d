"""The progress bars of `hemashift train`, and its lines where no bar can be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hemashift.cli.progress import Lines

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from hemashift.training.progress import Report


class TrainingDisplay:
    """One bar at a time: reading images, training, scoring.

    A bar is made when it is first needed, so that the display can be sent to the process of the
    first device, where several devices train.
    """

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._bar: TaskID | None = None
        self._lines: Lines | None = None
        self._what = ""

    def __getstate__(self) -> dict[str, Any]:
        return {"_progress": None, "_bar": None, "_lines": None, "_what": ""}

    def images(self, done: int, total: int) -> None:
        """Show how many images are decoded."""
        self._show("reading images", done, total)

    def step(self, report: Report) -> None:
        """Show how far the training is."""
        minutes, seconds = divmod(round(report.seconds_left), 60)
        which = f"network {report.member} of {report.members}, " if report.members > 1 else ""
        self._show(
            f"{which}epoch {report.epoch}",
            report.step,
            report.steps,
            f"loss {report.loss:.3f}  {report.images_per_second:.0f} images/s  "
            f"{minutes // 60}:{minutes % 60:02}:{seconds:02} left",
            what="training",
        )

    def epoch(self, row: dict[str, float]) -> None:
        """Print the loss and the held-out accuracy of an epoch."""
        scores = [
            f"{name.removesuffix('/accuracy')} {value:.3f}"
            for name, value in row.items()
            if name.endswith("/accuracy")
        ]
        text = f"epoch {row['epoch']:.0f}: loss {row['loss']:.3f}; held out: {', '.join(scores)}"
        if self._progress is None:
            print(text)
        else:
            self._progress.console.print(text, highlight=False, markup=False)

    def scored(self, done: int, total: int) -> None:
        """Show how many cells the finished model has named."""
        self._show("scoring the model file", done, total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._what = None, ""

    def _show(self, title: str, done: int, total: int, numbers: str = "", what: str = "") -> None:
        what = what or title
        if self._what != what:
            self.stop()
            self._start(what)
        assert self._progress is not None and self._bar is not None and self._lines is not None
        self._lines.tell(title, done, total, numbers)
        self._progress.update(
            self._bar, description=title, completed=done, total=total, numbers=numbers
        )
        if done == total:
            self.stop()

    def _start(self, what: str) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            transient=True,
        )
        self._lines = Lines(self._progress.console)
        self._what = what
        self._bar = self._progress.add_task(what, total=None, numbers="")
        self._progress.start()
