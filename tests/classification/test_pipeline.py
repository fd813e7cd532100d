from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hemashift.classification.inputs import Item
from hemashift.classification.pipeline import predict_all
from hemashift.model.classifier import Prediction
from hemashift.model.heads import Encoded


class Counter:
    """Counts images between the start of their preparation and their prediction."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.started = self.finished = self.most = 0
        self.threads: set[int] = set()

    def prepare(self, item: Item) -> np.ndarray | str:
        with self.lock:
            self.started += 1
            self.most = max(self.most, self.started - self.finished)
            self.threads.add(threading.get_ident())
        time.sleep(0.001)
        return np.full((4, 4, 3), int(item.name), np.uint8)

    def predict(self, images: np.ndarray) -> Prediction:
        time.sleep(0.003)
        with self.lock:
            self.finished += len(images)
        values = images[:, 0, 0, :2].astype(np.float32)
        return Prediction(("a", "b"), values, Encoded(values, values))


def items(n: int) -> Iterator[Item]:
    return (Item(str(k % 256), Path(str(k))) for k in range(n))


def test_images_in_flight_are_bounded_and_order_is_kept() -> None:
    counter = Counter()
    batches = predict_all(items(300), counter.prepare, counter, size=4, batch_size=10, workers=3)
    values = np.concatenate([batch.prediction.probabilities[:, 0] for batch in batches])
    assert values.tolist() == [k % 256 for k in range(300)]
    assert counter.most <= 2 * 10
    assert len(counter.threads) > 1


def test_stopping_early_ends_the_threads_and_reads_no_further() -> None:
    counter = Counter()
    taken: list[str] = []

    def source() -> Iterator[Item]:
        for item in items(10**9):
            taken.append(item.name)
            yield item

    batches = predict_all(source(), counter.prepare, counter, size=4, batch_size=5, workers=2)
    next(batches)
    batches.close()
    assert len(taken) <= 10
    names = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("hemashift-prepare") for name in names)


def test_an_unexpected_error_is_not_swallowed() -> None:
    counter = Counter()

    def fail(item: Item) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(predict_all(items(3), fail, counter, size=4, batch_size=2, workers=1))
