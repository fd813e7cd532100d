"""White blood cell classification that moves to another laboratory with few labels.

The verbs of the command line as functions; each is imported when it is first used.

Examples:
    >>> import hemashift
    >>> hemashift.CLASSES[:2]
    ('basophil', 'eosinophil')
    >>> sorted(hemashift.__all__)[-4:]
    ['load_model', 'read_image', 'select', 'train']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hemashift.adaptation.adapt import adapt
    from hemashift.adaptation.without_labels import adapt_unlabelled
    from hemashift.cells import CellTable
    from hemashift.classification import classify
    from hemashift.datasets import load as load_dataset
    from hemashift.errors import HemashiftError
    from hemashift.evaluation import evaluate
    from hemashift.images import read_image
    from hemashift.model.bundle import default_model
    from hemashift.model.bundle import load_model as load_model
    from hemashift.selection.select import select
    from hemashift.taxonomy import CLASSES
    from hemashift.training.source import train

__all__ = [
    "CLASSES",
    "CellTable",
    "HemashiftError",
    "adapt",
    "adapt_unlabelled",
    "classify",
    "default_model",
    "evaluate",
    "load_dataset",
    "load_model",
    "read_image",
    "select",
    "train",
]

_HOMES = {
    "CLASSES": ("hemashift.taxonomy", "CLASSES"),
    "CellTable": ("hemashift.cells", "CellTable"),
    "HemashiftError": ("hemashift.errors", "HemashiftError"),
    "adapt": ("hemashift.adaptation", "adapt"),
    "adapt_unlabelled": ("hemashift.adaptation", "adapt_unlabelled"),
    "classify": ("hemashift.classification", "classify"),
    "default_model": ("hemashift.model.bundle", "default_model"),
    "evaluate": ("hemashift.evaluation", "evaluate"),
    "load_dataset": ("hemashift.datasets", "load"),
    "load_model": ("hemashift.model.bundle", "load_model"),
    "read_image": ("hemashift.images", "read_image"),
    "select": ("hemashift.selection", "select"),
    "train": ("hemashift.training.source", "train"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import hemashift` is fast."""
    if name not in _HOMES:
        raise AttributeError(f"module 'hemashift' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
