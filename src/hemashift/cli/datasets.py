"""`hemashift datasets`: which are known and here, whether they are complete, how they look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hemashift.cli.options import Seed

if TYPE_CHECKING:
    from rich.console import Console

    from hemashift.cells import CellTable
    from hemashift.datasets import DatasetReader
    from hemashift.datasets.inspection import ImageInspection

app = typer.Typer(help="List, check and show datasets of cell images.", no_args_is_help=True)

_Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        help="Folder that the datasets lie in. [default: HEMASHIFT_DATA or ../shared/data]",
    ),
]
_SHOWN = 10  # files of a kind that are named before the rest is only counted


@app.command("list")
def list_datasets(data: _Data = None) -> None:
    """List all readers, and which of the datasets are here."""
    from rich.console import Console
    from rich.table import Table

    from hemashift.datasets import available, find_data_root, get

    root = data or find_data_root()
    table = Table("name", "title", "licence", "role", box=None, pad_edge=False)
    table.add_column("found here", overflow="fold")
    for name in available():
        reader = get(name)
        found = None
        if root is not None and reader.role != "format":
            found = reader.find(root)
        here = "" if reader.role == "format" else "no"
        if found is not None and root is not None:
            # Labels may lie beside the folder that was named, so that the dataset is the one above.
            within = found != root and found.is_relative_to(root)
            here = "yes" if found == root else str(found.relative_to(root) if within else found)
        table.add_row(name, reader.title, reader.licence, reader.role, here)
    console = Console()
    console.print(table)
    console.print(f"searched in {root}" if root else "no data folder: set HEMASHIFT_DATA")


@app.command()
def check(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|FOLDER]", help="A dataset's name, or a folder. [default: all found]"
        ),
    ] = None,
    data: _Data = None,
    images: Annotated[
        bool, typer.Option("--images", help="Also read every image and compare their pixels.")
    ] = False,
) -> None:
    """Check the layout, the counts a class beside the published ones, and the images.

    Exit status 1 if an image cannot be read, 2 if the layout is not understood.
    """
    from rich.console import Console
    from rich.progress import track

    from hemashift.datasets.inspection import inspect_images

    console = Console()
    damaged = False
    for reader, table in _open(what, data):
        _print_counts(console, reader, table)
        if images:
            from hemashift.images import read_image

            inspection = inspect_images(
                table,
                read_image,
                lambda names: track(names, "reading images", console=console, transient=True),
            )
            _print_inspection(console, inspection)
            damaged = damaged or bool(inspection.unreadable)
    if damaged:
        raise typer.Exit(1)


@app.command()
def montage(
    what: Annotated[str, typer.Argument(metavar="NAME|FOLDER", help="What to show.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Picture to write.")],
    data: _Data = None,
    per_class: Annotated[int, typer.Option(min=1, max=100, help="Cells a class.")] = 8,
    seed: Seed = 0,
) -> None:
    """Draw some cells of every class, as a look at what a dataset really holds."""
    import numpy as np

    from hemashift.errors import DatasetError
    from hemashift.images import check_apart, crop, read_image
    from hemashift.reports.montage import check_picture, draw_montage
    from hemashift.taxonomy import OUTSIDE

    check_picture(output)
    [(reader, table)] = _open(what, data)
    check_apart(output, table.root)
    boxes = table.boxes()
    rng = np.random.default_rng(seed)
    names = table.frame["class"].fillna(OUTSIDE).to_numpy()
    rows = []
    for name in (*table.classes(), OUTSIDE):
        members = np.flatnonzero(names == name)
        chosen = np.sort(rng.permutation(members)[:per_class])
        pictures = []
        for i in chosen:
            picture, box = read_image(table.absolute(i)), boxes[i]
            picture = picture if box is None else crop(picture, box)
            pictures.append(picture)
        if pictures:
            rows.append((name, pictures))
    if not rows:
        raise DatasetError("there is no cell to show", where=table.root)
    draw_montage(rows, output, f"{reader.title}: {len(table)} cells")
    typer.echo(f"wrote {output}")


def _open(what: str | None, data: Path | None) -> list[tuple[DatasetReader, CellTable]]:
    """Read what was asked for: a dataset by name, a folder, or all that are found."""
    from hemashift.datasets import available, find_data_root, get, load, open_table, published
    from hemashift.errors import DatasetError

    if what in available():
        return [(get(what), load(what, data))]
    if what is not None:
        if not Path(what).exists():
            raise DatasetError(
                f"{what!r} is neither a dataset nor a folder", expected=", ".join(available())
            )
        table, reader = open_table(what)
        return [(reader, table)]
    root = data or find_data_root()
    if root is None:
        raise DatasetError("no data folder", hint="give --data, or set HEMASHIFT_DATA")
    found = [get(name) for name in published() if get(name).find(root) is not None]
    if not found:
        raise DatasetError("no published dataset is here", where=root)
    return [(reader, reader.read(root)) for reader in found]


def _print_counts(console: Console, reader: DatasetReader, table: CellTable) -> None:
    from rich.table import Table
    from rich.text import Text

    from hemashift.taxonomy import CLASS_COLOURS, OUTSIDE

    counts, full = table.counts(), reader.published_counts
    published = full or {}
    names = [*counts, *sorted(set(published) - set(counts))]
    lines = Table(box=None, pad_edge=False)
    lines.add_column("class")
    lines.add_column("found", justify="right")
    if full is not None:
        lines.add_column("published", justify="right")
        lines.add_column("")
    for name in names:
        found, all_of_them = counts.get(name, 0), published.get(name, 0)
        verdict = "" if found == all_of_them else "fewer" if found < all_of_them else "more"
        beside = (str(all_of_them), verdict) if full is not None else ()
        lines.add_row(Text(name, style=CLASS_COLOURS.get(name, "")), str(found), *beside)
    outside = table.frame[table.frame["class"].isna()]
    lines.add_row(OUTSIDE, str(len(outside)))

    console.print(f"[bold]{reader.title}[/bold] ({reader.name}): layout understood")
    console.print(f"  in {table.root}", soft_wrap=True, markup=False)
    console.print(lines)
    if len(outside):
        labels = outside["label"].fillna("no label").value_counts()
        named = ", ".join(f"{n} {label}" for label, n in labels.items())
        console.print(f"outside: {named}", markup=False)
    subsets = table.frame["subset"].dropna().value_counts()
    if len(subsets):
        named = ", ".join(f"{n} {name}" for name, n in subsets.items())
        console.print(f"subsets: {named}", markup=False)
    console.print(f"{len(table)} cells in {table.frame['group'].nunique()} groups")
    if not counts and outside["label"].notna().any():
        console.print("no label means one of the classes: is this the folder that has them?")
    if reader.note:
        console.print(f"note: {reader.note}")
    console.print()


def _print_inspection(console: Console, inspection: ImageInspection) -> None:
    console.print(f"{inspection.read} images read")
    bad = [f"{name}: {reason}" for name, reason in inspection.unreadable.items()]
    _print_some(console, "cannot be read", bad)
    twice = [" = ".join(names) for names in inspection.duplicates]
    _print_some(console, "pictures are there more than once", twice)
    odds = [" = ".join(names) for names in inspection.contradictions]
    _print_some(console, "of these have different labels", odds)
    console.print()


def _print_some(console: Console, what: str, lines: list[str]) -> None:
    if not lines:
        return
    console.print(f"{len(lines)} {what}:")
    for line in lines[:_SHOWN]:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    if len(lines) > _SHOWN:
        console.print(f"  and {len(lines) - _SHOWN} more")
