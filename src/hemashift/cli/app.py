"""`hemashift app`: the laboratory's page, in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

DEMONSTRATION = Path("runs/app-demo")


def command(
    images: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of images, one cell an image; each is a project. Without any, the "
            "projects opened before are listed.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            help="Port; where it is taken, another that stays the same for the project.",
        ),
    ] = 8765,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on; any other than this lets other machines in."),
    ] = "127.0.0.1",
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            "-m",
            help="Model folder that the projects named go on with, such as one of 'adapt'.",
        ),
    ] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Show it on the cells of the demonstration, in runs/app-demo."),
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not download the cells of --demo.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Label, adapt, review and sign on a page in the browser, on this machine alone."""
    import webbrowser

    from rich.console import Console

    from hemashift.app.versions import go_on_with
    from hemashift.app.web import server, work
    from hemashift.app.web.projects import Projects, id_of
    from hemashift.app.web.security import Access
    from hemashift.model.bundle import load_model

    console = Console(soft_wrap=True, highlight=False)
    folders = [*(images or []), *([_demonstration(console, offline)] if demo else [])]
    start = None if model is None else load_model(model)
    taken = server.listen(host, port, folders)
    projects = Projects(folders)
    for project in projects.opened():
        if start is not None:
            go_on_with(project, start, by="the command line")
        work.bring_in(project)
    access = Access.make(host, taken.getsockname()[1])
    page = f"/p/{id_of(folders[0])}/project" if len(folders) == 1 else "/"
    console.print(f"The page is at\n\n  {access.address(page)}\n", markup=False)
    if host not in ("127.0.0.1", "::1", "localhost"):
        console.print(
            "Other machines can reach this address, and nothing is encrypted on the way. "
            "Whoever has the whole address can see and change everything.",
            style="bold yellow",
        )
    console.print("Keep this window open while you work; Ctrl C ends it. Nothing is lost then.")
    if browser:
        webbrowser.open(access.address(page, once=True))
    server.serve(projects, access, taken)


def _demonstration(console: Console, offline: bool) -> Path:
    from hemashift.cli.narrator import Narrator
    from hemashift.demo.images import lay_out_images

    with Narrator(console) as narrator:
        return lay_out_images(DEMONSTRATION, offline=offline, tell=narrator)
