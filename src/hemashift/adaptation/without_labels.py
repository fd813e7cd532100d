"""Adapting a model to a folder of images of which nothing is labelled, from reading to the card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hemashift.adaptation.adapt import naming, sample
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.preparation import prepare
from hemashift.adaptation.unlabelled import LEAST, UNLABELLED, Unlabelled
from hemashift.errors import AdaptationError
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.images import list_images
from hemashift.model.bundle import Bundle, default_model
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import StageProgress, of_stage
from hemashift.trust.storage import Trust, attach, read_trust


@dataclass(frozen=True, eq=False)
class AdaptedUnlabelled:
    """A model adapted without a label; how good it is nobody can say.

    Attributes:
        bundle: The adapted model; `bundle.save(folder)` writes it.
        images: Images that were looked at.
        mix: Share of each class, estimated.
        changed: Part of the images that now get another class than before, 0 to 1.
        notes: What is worth knowing, in sentences.
    """

    bundle: Bundle
    images: int
    mix: dict[str, float]
    changed: float
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say in sentences what was found, and what cannot be known."""
        mix = ", ".join(f"{name} {share:.0%}" for name, share in self.mix.items())
        said = (
            f"Estimated class mix, drawn towards equal shares: {mix}.",
            f"{self.changed:.0%} of the images get another class than before.",
            "How many are right is not known, and the probabilities are not calibrated: label some "
            "cells and adapt to them.",
        )
        return "\n".join((*said, *self.notes))


def adapt_unlabelled(
    images: str | Path,
    *,
    model: Bundle | None = None,
    seed: int = 0,
    only: Sequence[str] | None = None,
    progress: StageProgress | None = None,
) -> AdaptedUnlabelled:
    """Adapt a model to the images of a laboratory of which nothing is labelled, see `Unlabelled`.

    For a first look, and to label faster: a few labels are worth more, and only they tell how good
    a model is. Its probabilities are not calibrated. To name the classes that occur is worth much
    where not all do.

    Args:
        images: Folder of images, one cell an image, searched recursively.
        model: The model to start from; the shipped one by default.
        seed: Seed of which 300 images are looked at, where there are more.
        only: Those classes of the model that occur in the laboratory, where that is known; it
            never gives the others.
        progress: Called with what is being done, the number done, and the total.

    Returns:
        The adapted model.

    Raises:
        AdaptationError: Fewer than 50 images can be read, the model was made by this already, or
            it does not know a class of `only`.
        ImageError: The folder does not exist or holds no image.
    """
    start = model or default_model()
    _refuse_second(start)
    limited_to(start, only)  # refused before the work, not after it
    encoder = Encoder(start)
    cells, _, unreadable = prepare(
        start,
        encoder,
        sample(list_images(images), seed),
        on_image=of_stage(progress, "reading unlabelled cells"),
    )
    adapted = adapt_encoded(start, cells.encoded, seed, only=only)
    passed = [f"Images passed over, unreadable or masks: {len(unreadable)}."] if unreadable else []
    return replace(adapted, notes=(*adapted.notes, *passed))


def adapt_encoded(
    model: Bundle,
    encoded: Encoded,
    seed: int = 0,
    *,
    only: Sequence[str] | None = None,
) -> AdaptedUnlabelled:
    """Do what `adapt_unlabelled` does with images that were encoded before.

    Args:
        model: The model to start from.
        encoded: What its encoder says of the images.
        seed: The seed by which they were chosen, for the card.
        only: Those classes of the model that occur in the laboratory, where that is known.

    Raises:
        AdaptationError: There are fewer than 50, the model was made by this already, or it does
            not know a class of `only`.
    """
    _refuse_second(model)
    if len(encoded.features) < LEAST:
        raise AdaptationError(
            "there are too few images to adapt to without labels",
            expected=f"{LEAST} or more that can be read",
            found=str(len(encoded.features)),
            hint="label some of them, and adapt to the labels",
        )
    limited, notes = limited_to(model, only)
    method = Unlabelled()
    fitted = method.fit(_task_of(limited, encoded, seed))
    answers = [
        np.array(head.classes)[head.probabilities(encoded).argmax(axis=1)]
        for head in (model.head, fitted.head)
    ]
    shares = [] if method.mix is None else method.mix.tolist()
    mix = {
        name: max(round(share, 4), 1e-4)  # none is impossible
        for name, share in zip(limited.card.classes, shares, strict=True)
    }
    provenance = {
        "method": method.name,
        "seed": seed,
        "images": len(encoded.features),
        "mix": mix,
        "labelled_sha256": sorted(labelled_hashes(model.card.provenance)),
    }
    bundle = fitted.bundle()
    card = bundle.card.updated(
        **naming(model, "no labels"),
        parent=model.hash,
        provenance={**model.card.provenance, "adaptation": provenance},
        metrics={},
    )
    known = read_trust(limited)
    trust = Trust(source=known.source, probe=known.probe, others=known.others)
    return AdaptedUnlabelled(
        attach(Bundle(card, bundle.contents), trust),
        len(encoded.features),
        mix,
        float(np.mean(answers[0] != answers[1])),
        tuple(notes),
    )


def _refuse_second(model: Bundle) -> None:
    before = model.card.provenance.get("adaptation")
    if isinstance(before, dict) and before.get("method") == UNLABELLED:
        raise AdaptationError(
            "the model was adapted without labels already, and a second time does harm",
            found=model.card.name,
            hint="start from the model before it, or label some cells",
        )


def _task_of(model: Bundle, encoded: Encoded, seed: int) -> Task:
    """Put a task together of which nothing is labelled."""
    nothing = np.empty(0, np.int64)
    images = np.empty((0, 1, 1, 3), np.uint8)
    return Task(
        model,
        Cells(images, encoded[nothing]),
        nothing,
        np.empty(0, "<U1"),
        model.card.classes,
        encoded,
        seed,
    )
