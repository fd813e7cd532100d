"""From items to predictions: threads prepare images while the network works on earlier ones.

Pillow and numpy let other threads run while they work, so threads keep all cores busy and, other
than processes, need no copies of images between them. At most a fixed number of images is
between disk and result at any time, so memory does not grow with their number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from hemashift.classification.inputs import Item
from hemashift.errors import ImageError
from hemashift.images import read_cell
from hemashift.model.classifier import Prediction
from hemashift.model.preprocessing import Preprocessing

Pixels = npt.NDArray[np.uint8]
Prepare = Callable[[Item], "Pixels | str"]


class Predictor(Protocol):
    """What the pipeline needs of a `Classifier`."""

    def predict(self, images: Pixels) -> Prediction:
        """Classify prepared images, uint8 (N, S, S, 3)."""
        ...


class Batch(NamedTuple):
    """Some items with their results, in the order of the input.

    Attributes:
        items: The items.
        errors: For each item, why it could not be read, or None.
        prediction: Results of those that could be read, in order.
    """

    items: list[Item]
    errors: list[str | None]
    prediction: Prediction


def preparer(preprocessing: Preprocessing) -> Prepare:
    """Return the function that reads and prepares one item, or says why that is impossible."""

    def prepare(item: Item) -> Pixels | str:
        try:
            return preprocessing(read_cell(item.path), item.box)
        except ImageError as error:
            return f"{error.message} ({error.found})" if error.found else error.message

    return prepare


def predict_all(
    items: Iterable[Item],
    prepare: Prepare,
    predictor: Predictor,
    *,
    size: int,
    batch_size: int,
    workers: int,
) -> Generator[Batch]:
    """Classify items in order.

    Args:
        items: What to classify; read only as far as needed.
        prepare: From an item to uint8 (S, S, 3), or to the reason why not; called by threads.
        predictor: The network.
        size: Side S of its input in pixels.
        batch_size: Images a batch. While one is with the network, the next is prepared.
        workers: Threads that prepare.

    Yields:
        One batch after the other. No more than two batches are in memory.
    """
    for batch in _batches(items, prepare, batch_size, workers):
        images = np.empty((len(batch), size, size, 3), np.uint8)
        errors: list[str | None] = []
        n_read = 0
        for _, result in batch:
            if isinstance(result, str):
                errors.append(result)
            else:
                images[n_read] = result
                n_read += 1
                errors.append(None)
        yield Batch([item for item, _ in batch], errors, predictor.predict(images[:n_read]))


def _batches(
    items: Iterable[Item], prepare: Prepare, batch_size: int, workers: int
) -> Iterator[list[tuple[Item, Pixels | str]]]:
    source = iter(items)
    waiting: deque[tuple[Item, Future[Pixels | str]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="hemashift-prepare")
    try:
        waiting.extend((item, pool.submit(prepare, item)) for item in islice(source, batch_size))
        while waiting:
            batch: list[tuple[Item, Pixels | str]] = []
            while waiting and len(batch) < batch_size:
                item, future = waiting.popleft()
                batch.append((item, future.result()))
                # One in for one out: the next batch is under way when this one is complete.
                for following in islice(source, 1):
                    waiting.append((following, pool.submit(prepare, following)))
            yield batch
    finally:
        # Also on Ctrl-C, and when the caller stops early.
        pool.shutdown(wait=True, cancel_futures=True)
