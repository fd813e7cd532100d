"""The command line: one file a command, and one place where errors become messages."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hemashift.cli import adapt, audit, classify, datasets, demo, evaluate, select, study, train
from hemashift.cli import app as page
from hemashift.errors import HemashiftError, of_the_system


class _Commands(TyperGroup):
    """What holds for all commands: `~` is the home folder, and Ctrl-C says that it was heard."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_from_home(word) for word in args])

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # Typer would end without a word
            print("hemashift: interrupted", file=sys.stderr)
            raise typer.Exit(130) from None


def _from_home(word: str) -> str:
    """Put the home folder for a `~` that the shell has left, in quotes or behind `=`."""
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    # Elsewhere than on Windows, "~\\data" is an ordinary name.
    if value != "~" and not value.startswith("~/" if os.name != "nt" else ("~/", "~\\")):
        return word
    try:
        return f"{option}{equals}{Path(value).expanduser()}"
    except RuntimeError:
        raise HemashiftError(
            "it is not known where your home folder is",
            found=word,
            hint="write the whole path in place of ~, or set the environment variable HOME",
        ) from None


app = typer.Typer(
    cls=_Commands,
    name="hemashift",
    help="Classify white blood cells in images of your own laboratory, with 100 labels or fewer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    from importlib.metadata import version

    if wanted:
        typer.echo(f"hemashift {version('hemashift')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


app.add_typer(datasets.app, name="datasets")
app.command("select")(select.command)
app.command("audit")(audit.command)
app.command("adapt")(adapt.command)
app.command("classify")(classify.command)
app.command("evaluate")(evaluate.command)
app.command("app")(page.command)
app.command("demo")(demo.command)
app.command("train")(train.command)
app.command("study")(study.command)


def run() -> None:
    """Run the command line: exit status 0 on success, 2 on a bad input, 130 when interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a pipe on Windows may know few letters
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except HemashiftError as error:
        print(f"hemashift: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:  # of the disk, not of hemashift: full, write-protected, unplugged
        print(f"hemashift: {of_the_system(error)}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run()
