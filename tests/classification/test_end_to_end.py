"""The command as a user runs it, with the shipped model; interrupted as a user interrupts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hemashift.model.bundle import shipped_models

N_IMAGES = 240

pytestmark = [
    pytest.mark.skipif(not shipped_models(), reason="no shipped model in this checkout"),
    pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for k in range(12):
        pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8).repeat(20, 0).repeat(20, 1)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{k:03d}.jpg")
    for k in range(12, N_IMAGES):
        os.link(tmp_path / "images" / f"{k % 12:03d}.jpg", tmp_path / "images" / f"{k:03d}.jpg")
    return tmp_path / "images"


def test_interrupt_and_go_on(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    command = [sys.executable, "-m", "hemashift.cli.main", "classify", str(folder)]
    command += ["-o", str(output), "--batch-size", "4"]
    # What a shell runs in the background ignores Ctrl-C, and so would what is started from there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    settings = tmp_path / "out.csv.partial" / "settings.json"
    deadline = time.monotonic() + 60
    while not settings.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.7)
    run.send_signal(signal.SIGINT)
    _, shown = run.communicate(timeout=60)
    assert run.returncode == 130, shown
    assert "Traceback" not in shown
    assert not output.exists()
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "done before, by the interrupted run" in done.stderr
    rows = pd.read_csv(output)
    assert rows["path"].tolist() == [f"{k:03d}.jpg" for k in range(N_IMAGES)]
    probabilities = rows.filter(like="p_").to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    # The same image gives the same numbers, in whichever batch and run.
    assert (probabilities == probabilities[np.arange(N_IMAGES) % 12]).all()
