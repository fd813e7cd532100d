"""The methods of adaptation by name; PyTorch is imported only for those that need it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import cast

from hemashift.adaptation.auto import Auto
from hemashift.adaptation.batchnorm import BatchNorm
from hemashift.adaptation.blend import Blend
from hemashift.adaptation.classmix import ClassMix
from hemashift.adaptation.contract import Method
from hemashift.adaptation.head import HeadOnly
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.propagation import Propagation
from hemashift.adaptation.prototypes import Prototypes
from hemashift.adaptation.transductive import Transductive
from hemashift.errors import HemashiftError
from hemashift.progress import StageProgress

_LIGHT: dict[str, Callable[[], Method]] = {
    "auto": Auto,
    "blend": Blend,
    "probe": Probe,
    "head": HeadOnly,
    "prototypes": Prototypes,
    "propagation": Propagation,
    "transductive": Transductive,
    "classmix": ClassMix,
    "batchnorm": BatchNorm,
}
_TRAINED = {
    "lpft": ("lpft", "LPFT"),
    "student": ("student", "Student"),
    "finetune": ("finetune", "Finetune"),
}
METHODS = (*_LIGHT, *_TRAINED)


def make_method(name: str, progress: StageProgress | None = None) -> Method:
    """Make a method of adaptation by its name.

    Args:
        name: One of `METHODS`.
        progress: Told what a method that takes minutes is doing.

    Raises:
        HemashiftError: There is none of that name.
        MissingExtraError: `lpft`, `student` or `finetune` without the extra `train`.

    Examples:
        >>> make_method("probe").name
        'probe'
    """
    if name in _LIGHT:
        return _LIGHT[name]()
    if name not in _TRAINED:
        raise HemashiftError("unknown method", expected=", ".join(METHODS), found=name)
    module, maker = _TRAINED[name]
    made = getattr(import_module(f"hemashift.adaptation.{module}"), maker)
    return cast(Method, made(on_progress=progress) if name == "finetune" else made())
