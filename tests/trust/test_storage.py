from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemashift.errors import ModelFileError
from hemashift.model.bundle import TRUST, Bundle
from hemashift.model.heads import Encoded
from hemashift.model.tensors import save_tensors
from hemashift.trust.calibration import Calibration
from hemashift.trust.outside import Outside
from hemashift.trust.source import Others, fit_source
from hemashift.trust.storage import Trust, attach, read_trust


@pytest.fixture(scope="module")
def cells(bundle: Bundle) -> Encoded:
    rng = np.random.default_rng(0)
    centres = 3 * np.eye(bundle.card.n_features)[np.arange(60) % 6]
    features = rng.normal(centres, 0.1).astype(np.float32)
    return Encoded(features, features[:, :128])


@pytest.fixture(scope="module")
def trust(cells: Encoded) -> Trust:
    targets = np.arange(60) % 6
    rows = np.arange(60)
    parts = [(rows[rows % 5 != k], rows[rows % 5 == k]) for k in range(5)]
    outside = Outside.fit(cells, targets, parts, towards=np.zeros((6, cells.features.shape[1])))
    probabilities = np.random.default_rng(1).dirichlet(np.ones(6), 60)
    return Trust(Calibration.of(probabilities, targets), outside, outside.spread)


def test_what_is_saved_is_read_again(
    bundle: Bundle, trust: Trust, cells: Encoded, tmp_path: Path
) -> None:
    kept = Bundle.load(attach(bundle, trust).save(tmp_path / "model"))
    assert (tmp_path / "model" / TRUST).stat().st_size < 1_000_000
    assert kept.card.trust is not None and kept.card.trust.labels == 60
    found = read_trust(kept)
    assert found.calibration is not None and trust.calibration is not None
    assert found.outside is not None and trust.outside is not None and found.source is not None
    assert found.outside.undecided is not None
    np.testing.assert_allclose(
        found.calibration.probabilities, trust.calibration.probabilities, atol=1e-6
    )
    np.testing.assert_array_equal(found.calibration.targets, trust.calibration.targets)
    np.testing.assert_allclose(found.outside.scores(cells), trust.outside.scores(cells), rtol=1e-3)
    np.testing.assert_allclose(found.source.variances, trust.outside.spread.variances)


def test_a_model_without_trust_data(bundle: Bundle) -> None:
    found = read_trust(bundle)
    assert not any((found.calibration, found.outside, found.source))
    assert found.probe is None


def test_a_source_model_knows_its_cells_but_no_error_rate(
    bundle: Bundle, cells: Encoded, tmp_path: Path
) -> None:
    laboratories = np.repeat(["a", "b"], 30)
    made = fit_source(bundle, cells, np.arange(60) % 6, laboratories)
    found = read_trust(Bundle.load(made.save(tmp_path / "source")))
    assert found.calibration is None
    assert found.outside is not None and found.source is not None
    assert found.probe is not None and found.probe.shape == (6, bundle.card.n_features)
    assert (found.outside.scores(cells) <= 1).mean() > 0.9
    far = np.eye(bundle.card.n_features, dtype=np.float32)[[700]]
    assert found.outside.scores(Encoded(far, far[:, :128]))[0] > 1
    assert made.head.temperature == bundle.head.temperature
    again = fit_source(bundle, cells, np.arange(60) % 6, laboratories)
    assert again.contents == made.contents


def test_what_tells_cells_of_no_class_is_kept(
    bundle: Bundle, cells: Encoded, tmp_path: Path
) -> None:
    width, laboratories = bundle.card.n_features, np.repeat(["a", "b"], 30)
    features = (3 * np.eye(width)[[40] * 12]).astype(np.float32)
    features += np.random.default_rng(4).normal(0, 0.1, features.shape).astype(np.float32)
    strange = Others(Encoded(features, features[:, :128]), np.repeat(["a", "b"], 6))
    targets = np.arange(60) % 6
    made = fit_source(bundle, cells, targets, laboratories, others=strange)
    found = read_trust(Bundle.load(made.save(tmp_path / "source")))
    assert found.others is not None and found.others.shape == (width,)
    assert found.others.argmax() == 40
    assert found.outside is not None and found.outside.evidence is not None
    assert found.outside.evidence.argmax() == 40
    assert found.probe is not None and len(found.probe) == 6


@pytest.mark.parametrize(
    "name, value, said",
    [
        ("targets", np.full(60, 6, np.int64), "0 to 5"),
        ("targets", np.zeros(59, np.int64), "60"),
        ("probabilities", np.zeros((60, 5), np.float32), "60 x 6"),
        ("centres", np.zeros((6, 12), np.float32), "any x"),
        ("centres", np.full((1, 1), np.nan, np.float32), "finite"),
        ("outside.variances", np.zeros(3), ""),
        ("outside.variances", None, ""),
        ("outside.weights", np.zeros((6, 3), np.float32), "any x"),
        ("outside.biases", np.zeros(5, np.float32), "6"),
        ("outside.biases", None, "6"),
        ("source.directions", np.zeros((2, 2), np.float32), "any x"),
        ("source.others", np.zeros(3, np.float32), "finite"),
    ],
)
def test_data_that_do_not_fit_are_refused(
    bundle: Bundle, trust: Trust, name: str, value: np.ndarray | None, said: str
) -> None:
    good = attach(bundle, trust)
    tensors = {**good.trust_tensors(), name: value}
    assert good.card.trust is not None
    bad = good.with_trust(good.card.trust, {k: v for k, v in tensors.items() if v is not None})
    with pytest.raises(ModelFileError, match=f"do not fit the model: {name}") as raised:
        read_trust(bad)
    assert said in str(raised.value)


def test_a_changed_byte_is_noticed(bundle: Bundle, trust: Trust, tmp_path: Path) -> None:
    folder = attach(bundle, trust).save(tmp_path / "model")
    (folder / TRUST).write_bytes(save_tensors({"targets": np.zeros(3, np.int64)}))
    with pytest.raises(ModelFileError, match=r"trust\.safetensors was changed"):
        Bundle.load(folder)
    (folder / TRUST).unlink()
    with pytest.raises(ModelFileError, match="missing"):
        Bundle.load(folder)
