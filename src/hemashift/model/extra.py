"""What to say where the packages of the extra ``train`` are not installed."""

from __future__ import annotations

from hemashift.errors import MissingExtraError


def train_extra_missing() -> MissingExtraError:
    """Return the error to raise when PyTorch, timm or onnx cannot be imported.

    Examples:
        >>> print(train_extra_missing())
        this needs PyTorch, timm and onnx, which are not all installed
          what to do: in the folder of hemashift, with its pip: pip install '.[train]'
    """
    return MissingExtraError(
        "this needs PyTorch, timm and onnx, which are not all installed",
        hint="in the folder of hemashift, with its pip: pip install '.[train]'",
    )
