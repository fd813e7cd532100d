from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hemashift.errors import HemashiftError
from hemashift.model.bundle import Bundle
from hemashift.studies.contract import Result
from hemashift.studies.store import Store


def made() -> Result:
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    table = pd.DataFrame({"name": ["a", None], "value": [0.5, float("nan")], "count": [1, 2]})
    return Result({"scores": table}, {"a cell / of b": picture}, ("mind this",))


def test_a_result_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.result({"seed": 1}, made)
    second = Store(tmp_path).result({"seed": 1}, lambda: pytest.fail("made again"))
    assert first.fresh and not second.fresh
    assert second.seconds == first.seconds
    pd.testing.assert_frame_equal(second.result.tables["scores"], made().tables["scores"])
    [(name, picture)] = second.result.pictures.items()
    assert name == "a cell / of b"
    np.testing.assert_array_equal(picture, made().pictures[name])
    assert second.result.notes == ("mind this",)


def test_other_facts_are_another_result(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.result({"seed": 1}, made)
    assert store.find({"seed": 2}) is None
    assert store.result({"seed": 2}, lambda: Result()).result.tables == {}


def test_a_failure_keeps_nothing(tmp_path: Path) -> None:
    def fails() -> Result:
        raise KeyboardInterrupt

    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.result({"seed": 1}, fails)
    assert store.find({"seed": 1}) is None
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    place = tmp_path / "results" / store.result({"seed": 1}, made).key
    (place / "scores.parquet").write_bytes(b"no table")
    with pytest.raises(HemashiftError, match="cannot be read back") as caught:
        store.find({"seed": 1})
    assert str(place) in str(caught.value)


def test_a_model_is_made_once(tmp_path: Path, bundle: Bundle) -> None:
    store = Store(tmp_path)
    assert store.model({"name": "m"}, lambda place, run: bundle).hash == bundle.hash
    found = Store(tmp_path).model({"name": "m"}, lambda place, run: pytest.fail("made again"))
    assert found.hash == bundle.hash


def test_a_model_whose_training_was_cut_off_is_not_taken_for_finished(
    tmp_path: Path, bundle: Bundle
) -> None:
    def cut_off(place: Path, run: Path) -> Bundle:
        run.mkdir(parents=True)
        (run / "checkpoint").touch()
        bundle.save(place)
        raise KeyboardInterrupt

    def goes_on(place: Path, run: Path) -> Bundle:
        assert (run / "checkpoint").exists()
        bundle.save(place)
        return bundle

    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        store.model({"name": "m"}, cut_off)
    assert store.model({"name": "m"}, goes_on).hash == bundle.hash
    assert not list((tmp_path / "runs").iterdir())
