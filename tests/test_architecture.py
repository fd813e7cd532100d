"""The rooms import in one direction, as docs/architecture.md says."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hemashift"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def levels() -> dict[str, int]:
    """Room -> level, from the drawing below the heading 'Direction of imports'."""
    drawing = PAGE.split("## Direction of imports")[1].split("```")[1].removeprefix("text\n")
    return {
        room.strip(): level
        for level, rooms in enumerate(drawing.split("->"))
        for room in rooms.split(",")
    }


def imported(file: Path) -> Iterator[str]:
    """Rooms that a module imports when it is used; what is for type checking only is left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    checked = [node for node in ast.walk(tree) if isinstance(node, ast.If)]
    skipped = {
        inner
        for node in checked
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in skipped and node.module:
            words = node.module.split(".")
            if words[0] != "hemashift":
                continue
            yield from [words[1]] if len(words) > 1 else [name.name for name in node.names]


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: str(f.stem))
def test_a_room_imports_only_earlier_ones(file: Path) -> None:
    order, own = levels(), room_of(file)
    if own == "__init__":  # the front door opens on all rooms
        return
    for other in imported(file):
        if other != own:
            assert order[other] < order[own], f"{own} imports {other}, which comes later"


def test_every_room_has_its_line() -> None:
    rooms = {room_of(file) for file in PACKAGE.rglob("*.py")} - {"__init__"}
    assert rooms == set(levels())
    for room in rooms:
        assert f"`{room}" in PAGE, f"docs/architecture.md does not say what {room} is"
