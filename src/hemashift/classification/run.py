"""Classify a folder, a table or a list of images into one output file."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.classification.finish import Finish, Wishes
from hemashift.classification.inputs import Images, fingerprint, list_items, refuse_overwriting
from hemashift.classification.journal import Journal
from hemashift.classification.pipeline import predict_all, preparer
from hemashift.classification.writers import check_suffix, row_schema, rows_of, write_rows
from hemashift.errors import HemashiftError, ImageError
from hemashift.files import check_spares
from hemashift.model.bundle import Bundle, load_model
from hemashift.model.classifier import Classifier
from hemashift.model.runtime import Precision, available_threads
from hemashift.progress import Progress
from hemashift.taxonomy import OUTSIDE, Taxonomy
from hemashift.trust.storage import read_trust
from hemashift.trust.unidentified import UNIDENTIFIED

ClassMix = Literal["off", "estimate"]

# At most this many seconds of work are lost by an interruption.
SECONDS_BETWEEN_WRITES = 5.0
ROWS_BETWEEN_WRITES = 4096


@dataclass(frozen=True)
class ClassifyReport:
    """What was done.

    Attributes:
        output: The finished file.
        n_images: Images in the output.
        n_resumed: Those of them that an earlier, interrupted run had classified.
        restarted: Why the results of an interrupted run were not used, or None.
        counts: Images of each class, and of `unidentified` and `outside` where asked for.
        errors: Name and reason of each image that could not be read.
        seconds: Time taken by this run, start-up of the network included.
        model: Name of the model.
        model_hash: Its hash.
        class_mix: The share of each class that the probabilities are for, where asked for.
        notes: What is worth knowing about sets, limits and the class mix, in sentences.
    """

    output: Path
    n_images: int
    n_resumed: int
    restarted: str | None
    counts: dict[str, int]
    errors: list[tuple[str, str]] = field(repr=False)
    seconds: float
    model: str
    model_hash: str
    class_mix: dict[str, float] | None = None
    notes: tuple[str, ...] = ()


def classify(
    images: Images,
    model: Bundle | str | Path,
    output: str | Path,
    *,
    batch_size: int = 32,
    workers: int | None = None,
    threads: int | None = None,
    precision: Precision = "auto",
    embeddings: bool = False,
    coverage: float | None = None,
    max_error: float | None = None,
    class_mix: ClassMix = "off",
    outside: bool = False,
    roll_up: bool = False,
    taxonomy: Taxonomy | None = None,
    resume: bool = True,
    progress: Progress | None = None,
) -> ClassifyReport:
    """Classify images and write one row an image, in the order of the input.

    The columns are ``path`` (relative to the folder), the box where there are boxes, ``label``,
    ``p_<class>`` for each class, ``outside`` where the model can tell (above 1: unlike all
    classes), ``error``, and the embedding on request (``e_000`` and on in CSV, one list
    otherwise). An image that cannot be read has an error and no label.

    Args:
        images: A folder (with its subfolders), one image, a cell table or its file, or a list
            of images.
        model: A model or its folder.
        output: File to write, ``.csv``, ``.parquet`` or ``.jsonl``. It appears when all images
            are done; until then results are in ``<output>.partial``.
        batch_size: Images that are handed to the network at once. Memory grows with it, results
            do not depend on it.
        workers: Threads that read and prepare images; by default one a CPU.
        threads: Threads of the network; by default one a CPU.
        precision: See `hemashift.model.runtime.Encoder`.
        embeddings: Whether to write the embedding of each image, 128 numbers a network.
        coverage: Adds a column ``set``: the classes that a cell may be, such that this share of
            the sets holds the true one, see `hemashift.trust.conformal`. A list; in CSV joined
            by ``|``.
        max_error: Cells whose class is too unsure for this share of errors among the others get
            the label ``unidentified``, see `hemashift.trust.unidentified`.
        class_mix: ``"estimate"`` finds how common each class is among these images (Saerens et
            al. 2002), and corrects probabilities and labels for a mix between the two, at most
            half-way to it.
        outside: Cells with ``outside`` above 1 get the label ``outside``; they do not count in
            the class mix.
        roll_up: Adds a column ``main_class``: what the label counts as, by the taxonomy.
        taxonomy: What labels mean for `roll_up`; the built-in one by default.
        resume: Go on where an interrupted run of the same images, model and settings stopped.
        progress: Called with the numbers of images done and in all.

    Raises:
        HemashiftError: There is nothing to classify, the output cannot be written or would
            overwrite an input, an option is out of range, or the model cannot fulfil it.
        ImageError: Not one image has a result; an earlier output stays as it was.
        ModelFileError: The model cannot be read.
    """
    started = time.monotonic()
    output = Path(output)
    check_suffix(output)
    _check_options(batch_size, workers, class_mix)
    items = list_items(images)
    if isinstance(images, str | Path):
        check_spares(output, [images])  # a table of cells is no item
    refuse_overwriting(output, items)
    bundle = model if isinstance(model, Bundle) else load_model(model)
    wishes = Wishes(coverage, max_error, class_mix == "estimate", outside, roll_up)
    finish = Finish(bundle, wishes, taxonomy)  # refuses before the work, not after it
    known = read_trust(bundle).outside
    classifier = Classifier(bundle, threads, precision)
    schema = row_schema(
        classifier.classes,
        boxes=any(item.box for item in items),
        n_embedding=bundle.card.n_embedding if embeddings else 0,
        outside=known is not None,
    )
    settings = {
        "model": bundle.hash,
        "images": fingerprint(items),
        "precision": classifier.encoder.precision,
        "embeddings": embeddings,
    }
    with closing(_journal(output, settings, schema, resume)) as journal:
        n_resumed = journal.n_rows
        batches = predict_all(
            items[n_resumed:],
            preparer(bundle.card.preprocessing),
            classifier,
            size=bundle.card.preprocessing.size,
            batch_size=batch_size,
            workers=workers or available_threads(),
        )
        report = progress or (lambda done, total: None)
        report(n_resumed, len(items))
        # The pipeline keeps the cores busy; numpy's own threads would only get in their way.
        with threadpool_limits(1, user_api="blas"), closing(batches):  # ends the threads on Ctrl-C
            rows = (rows_of(batch, schema, known) for batch in batches)
            _fill(journal, rows, lambda done: report(n_resumed + done, len(items)))
        counts, errors = _write_output(journal, finish, schema, output, bundle)
    return ClassifyReport(
        output=output,
        n_images=len(items),
        n_resumed=n_resumed,
        restarted=journal.restarted,
        counts={name: counts[name] for name in (*classifier.classes, *_extra(wishes))},
        errors=errors,
        seconds=time.monotonic() - started,
        model=bundle.card.name,
        model_hash=bundle.hash,
        class_mix=finish.mix,
        notes=tuple(finish.notes),
    )


def _check_options(batch_size: int, workers: int | None, class_mix: str) -> None:
    for name, value in (("batch_size", batch_size), ("workers", workers or 1)):
        if value < 1:
            raise HemashiftError(f"{name} must be at least 1", found=str(value))
    if class_mix not in ("off", "estimate"):
        raise HemashiftError("unknown class mix", expected="off or estimate", found=class_mix)


def _journal(output: Path, settings: dict[str, object], schema: pa.Schema, resume: bool) -> Journal:
    try:
        return Journal(output, settings, schema, resume=resume)
    except OSError as error:
        raise HemashiftError(
            "the output cannot be written", found=error.strerror, where=output
        ) from error


def _write_output(
    journal: Journal, finish: Finish, schema: pa.Schema, output: Path, bundle: Bundle
) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Write the output from the journal; return the cells of each label, and what failed."""
    counts: Counter[str] = Counter()
    errors: list[tuple[str, str]] = []
    metadata = {"hemashift_model": bundle.card.name, "hemashift_model_hash": bundle.hash}
    _refuse_unreadable(journal)
    finish.look(journal.read)
    if finish.notes:
        metadata["hemashift_notes"] = "\n".join(finish.notes)
    finished = map(finish, journal.read())
    write_rows(_counted(finished, counts, errors), finish.schema(schema), output, metadata)
    journal.discard()
    return counts, errors


def _refuse_unreadable(journal: Journal) -> None:
    """Refuse to replace an earlier output by one without a single result."""
    first = None
    for rows in journal.read():
        if rows.column("error").null_count:
            return
        first = first or f"{rows.column('path')[0]}: {rows.column('error')[0]}"
    journal.discard()
    raise ImageError(
        "not one of the images has a result",
        found=f"{journal.n_rows} images; the first is {first}",
        hint="check the folder that the paths start from, and the files",
    )


def _extra(wishes: Wishes) -> list[str]:
    """Labels beside the classes that the wishes lead to."""
    extra = [UNIDENTIFIED] if wishes.max_error is not None else []
    return extra + [OUTSIDE] * wishes.outside


def _fill(journal: Journal, rows: Iterator[pa.Table], report: Callable[[int], None]) -> None:
    """Write rows to the journal every few seconds, and what there is when interrupted."""
    pending: list[pa.Table] = []
    done = n_pending = 0
    written = time.monotonic()
    try:
        for table in rows:
            pending.append(table)
            done += table.num_rows
            n_pending += table.num_rows
            report(done)
            late = time.monotonic() - written > SECONDS_BETWEEN_WRITES
            if late or n_pending >= ROWS_BETWEEN_WRITES:
                stretch, pending, n_pending = pa.concat_tables(pending), [], 0
                journal.append(stretch)
                written = time.monotonic()
    finally:
        if pending:
            journal.append(pa.concat_tables(pending))


def _counted(
    stretches: Iterator[pa.Table], counts: Counter[str], errors: list[tuple[str, str]]
) -> Iterator[pa.Table]:
    """Pass rows on, counting labels and collecting errors on the way."""
    for rows in stretches:
        labels, reasons = rows.column("label").to_pylist(), rows.column("error").to_pylist()
        counts.update(label for label in labels if label is not None)
        paths = rows.column("path").to_pylist()
        errors += [(path, why) for path, why in zip(paths, reasons, strict=True) if why is not None]
        yield rows
