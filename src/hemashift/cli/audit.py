"""`hemashift audit`: what is probably wrong with labels, before a model learns from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemashift.cli.options import Classes, Images, Labels, Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.audit import Audit

_SHOWN = 5  # images of a finding that are named; the page shows more


def command(
    images: Images,
    labels: Labels,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="HTML page to write, with pictures of the cells."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model, a folder or the name of a shipped one, that has not learnt from "
            "these labels.",
            show_default="the shipped model",
        ),
    ] = None,
    classes: Classes = None,
    seed: Seed = 0,
) -> None:
    """Look for exchanged classes, wrong labels, copies, and classes from one smear only.

    Exit status 1 if something must be mended before a model learns from these labels.
    """
    from datetime import UTC, datetime

    from rich.console import Console

    from hemashift.audit import audit
    from hemashift.cli.progress import stages
    from hemashift.model.bundle import default_model, load_model
    from hemashift.reports.page import check_page
    from hemashift.taxonomy import Taxonomy

    if output is not None:
        check_page(output, [*labels, classes])
    console = Console(stderr=True)
    start = load_model(model) if model is not None else default_model()
    with stages(console) as progress:
        found = audit(
            images,
            labels,
            start,
            seed=seed,
            taxonomy=None if classes is None else Taxonomy.from_file(classes),
            progress=progress,
        )
    if output is not None:
        from hemashift.reports.audit_page import write_audit_report

        write_audit_report(found, output, made=datetime.now(UTC).astimezone())
    _show(found, console)
    if output is not None:
        console.print(f"report: {output}", markup=False, highlight=False, soft_wrap=True)
    if found.severities["error"]:
        raise typer.Exit(1)


def _show(found: Audit, console: Console) -> None:
    labelled = sum(found.counts.values())
    console.print(f"{labelled} labels, {found.n_images} images", highlight=False)
    if not found.findings:
        console.print("nothing suspicious was found")
    for one in found.findings:
        console.print(
            f"{one.severity}: {one.sentence} {one.suggestion}", markup=False, highlight=False
        )
        for place, name in enumerate(one.paths[:_SHOWN]):
            caption = f" ({one.captions[place]})" if one.captions else ""
            console.print(f"  {name}{caption}", markup=False, highlight=False)
        if len(one.paths) > _SHOWN:
            console.print(f"  and {len(one.paths) - _SHOWN} more", highlight=False)
