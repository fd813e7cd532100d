from __future__ import annotations

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemashift.errors import HemashiftError, ImageError, ModelFileError
from hemashift.model.bundle import Bundle
from hemashift.model.classifier import Classifier
from hemashift.model.runtime import Encoder, read_graph


def torch_probabilities(bundle: Bundle, images: np.ndarray) -> np.ndarray:
    torch = pytest.importorskip("torch")
    from hemashift.model.checkpoint import load_network

    network = load_network(bundle)
    with torch.no_grad():
        logits = network(network.normalise(torch.from_numpy(images)))
    return (logits / bundle.card.temperature).softmax(1).numpy()


def test_probabilities_are_those_of_pytorch(bundle: Bundle, images: np.ndarray) -> None:
    prediction = Classifier(bundle, threads=1).predict(images)
    expected = torch_probabilities(bundle, images)
    assert expected.std(axis=0).max() > 0.01, "the images must differ for this to say something"
    np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)
    assert prediction.labels == [bundle.card.classes[i] for i in expected.argmax(axis=1)]


def test_features_are_those_of_the_network_before_storage(
    bundle: Bundle, images: np.ndarray, network: object
) -> None:
    torch = pytest.importorskip("torch")
    encoded = Encoder(bundle, threads=1).encode(images)
    with torch.no_grad():
        features, embedding = network.encode(network.normalise(torch.from_numpy(images)))
    for found, expected in ((encoded.features, features), (encoded.embedding, embedding)):
        error = np.abs(found - expected.numpy()).max() / np.abs(expected.numpy()).max()
        assert error < 0.02, "storing weights as float16 must hardly change anything"


def test_result_does_not_depend_on_batch_or_threads(bundle: Bundle, images: np.ndarray) -> None:
    whole = Encoder(bundle, threads=1).encode(images)
    other = Encoder(bundle, threads=3)
    parts = [other.encode(images[start : start + 2]) for start in range(0, len(images), 2)]
    np.testing.assert_array_equal(whole.features, np.concatenate([p.features for p in parts]))
    np.testing.assert_array_equal(whole.embedding, np.concatenate([p.embedding for p in parts]))


def test_threads_may_share_an_encoder(bundle: Bundle, images: np.ndarray) -> None:
    encoder = Encoder(bundle, threads=2)
    expected = encoder.encode(images).features
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: encoder.encode(images[k:]).features, [0, 1, 2, 3] * 3))
    for k, features in zip([0, 1, 2, 3] * 3, found, strict=True):
        np.testing.assert_array_equal(features, expected[k:])


def test_an_interrupted_encoder_goes_at_once(bundle: Bundle, tmp_path: Path) -> None:
    """Requests that an interruption left behind once kept the interpreter from ending, for ever."""
    bundle.save(tmp_path / "model")
    code = f"""
import numpy as np
from hemashift.model.bundle import load_model
from hemashift.model.runtime import Encoder

encoder = Encoder(load_model({str(tmp_path / "model")!r}), threads=2)
start = encoder._queue.start_async

def interrupted(inputs, target):
    start(inputs, target)
    raise KeyboardInterrupt

encoder._queue.start_async = interrupted
for _ in range(50):
    try:
        encoder.encode(np.zeros((1, encoder.size, encoder.size, 3), np.uint8))
    except KeyboardInterrupt:
        pass
del encoder, start, interrupted
print("gone")
"""
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300
    )
    assert shown.stdout == "gone\n", shown.stderr


def test_the_weights_stay_on_disk_until_the_graph_is_compiled(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with read_graph(bundle, 1):
        assert len(list(tmp_path.rglob("encoder.safetensors"))) == 1
    assert not list(tmp_path.iterdir())


def test_no_images_give_no_rows(bundle: Bundle) -> None:
    size = bundle.card.preprocessing.size
    prediction = Classifier(bundle, threads=1).predict(np.empty((0, size, size, 3), np.uint8))
    assert prediction.probabilities.shape == (0, 6)
    assert prediction.labels == []
    assert prediction.encoded.features.shape == (0, bundle.card.n_features)


def test_images_may_lie_anyhow_in_memory(bundle: Bundle, images: np.ndarray) -> None:
    encoder = Encoder(bundle, threads=1)
    turned = images[:, ::-1, ::-1]
    np.testing.assert_array_equal(
        encoder.encode(turned).embedding, encoder.encode(turned.copy()).embedding
    )


@pytest.mark.parametrize("shape, dtype", [((1, 32, 32, 3), np.uint8), ((1, 64, 64, 3), np.float32)])
def test_wrong_images_are_refused(bundle: Bundle, shape: tuple[int, ...], dtype: type) -> None:
    with pytest.raises(ImageError, match="cannot take these images"):
        Encoder(bundle, threads=1).encode(np.zeros(shape, dtype))


def test_bfloat16_is_close(bundle: Bundle, images: np.ndarray) -> None:
    exact = Encoder(bundle, threads=1).encode(images).embedding
    rough = Encoder(bundle, threads=1, precision="bfloat16").encode(images).embedding
    assert np.abs(rough - exact).max() / np.abs(exact).max() < 0.1


@pytest.mark.parametrize("name", ["n_features", "n_embedding"])
def test_a_card_that_says_other_lengths_is_refused(bundle: Bundle, name: str) -> None:
    wrong = replace(bundle, card=bundle.card.updated(**{name: 7}))
    with pytest.raises(ModelFileError, match="than the card says"):
        Encoder(wrong, threads=1)


def test_unknown_precision_is_refused(bundle: Bundle) -> None:
    with pytest.raises(HemashiftError, match="unknown precision"):
        Encoder(bundle, precision="float8")  # type: ignore[arg-type]


def test_use_is_not_reported_to_anyone() -> None:
    code = (
        "import sys; from hemashift.model.runtime import openvino_module as ov; ov().Core();"
        "print([name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
