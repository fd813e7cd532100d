"""The studies by name, in the order of the paper; each is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import cast

from hemashift.errors import HemashiftError
from hemashift.studies.contract import Study

STUDIES: dict[str, str] = {
    "datasets": "Datasets",
    "architectures": "Architectures",
    "targets": "Targets",
    "ablation": "Ablation",
    "sample_size": "SampleSize",
    "pictures": "Pictures",
    "errors": "Errors",
}
"""Module within `hemashift.studies` -> class of the study in it. The name is the module's."""


def get_study(name: str) -> Study:
    """Return a study by its name.

    Raises:
        HemashiftError: There is none of that name.

    Examples:
        >>> get_study("ablation").name
        'ablation'
    """
    if name not in STUDIES:
        raise HemashiftError(
            "there is no such study", expected=", ".join((*STUDIES, "all")), found=name
        )
    module = import_module(f"hemashift.studies.{name}")
    return cast(Study, getattr(module, STUDIES[name])())


def chosen_names(name: str) -> Sequence[str]:
    """Return the names that a word on the command line stands for; `all` for all.

    Raises:
        HemashiftError: There is no study of that name.

    Examples:
        >>> chosen_names("all")[0], chosen_names("errors")
        ('datasets', ('errors',))
    """
    if name == "all":
        return tuple(STUDIES)
    if name not in STUDIES:
        raise HemashiftError(
            "there is no such study", expected=", ".join((*STUDIES, "all")), found=name
        )
    return (name,)
