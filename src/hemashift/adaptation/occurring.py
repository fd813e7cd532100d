"""Which of a model's classes occur in a laboratory, where its people know that beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hemashift.adaptation.labels import meaning_of
from hemashift.errors import AdaptationError
from hemashift.model.bundle import Bundle
from hemashift.taxonomy import Taxonomy
from hemashift.trust.storage import Trust, attach, read_trust


def limited_to(
    model: Bundle,
    only: Sequence[str] | None,
    taxonomy: Taxonomy | None = None,
    *,
    labelled: Iterable[str] = (),
) -> tuple[Bundle, list[str]]:
    """Return a model that gives only the classes that occur in a laboratory.

    In the blood of adults there is hardly an erythroblast, and in a marrow no end of them. Who
    works there knows; a model that does not know spreads its errors over all of its classes. That
    is worth most without labels and with few (docs/leave-one-out.md, "Classes that occur").

    What is known of the source's classes for an adaptation to come is kept. What is known of the
    answers of the whole model, such as its calibration, is not.

    Args:
        model: The model to adapt.
        only: The classes that occur, by name, code or synonym; at least two. None where that is
            not known: the model stays as it is.
        taxonomy: What the names mean; the built-in one by default.
        labelled: Classes of labelled cells. They occur, whether named or not.

    Returns:
        The model, and what is worth knowing, in sentences.

    Raises:
        AdaptationError: The model does not know a class, or fewer than two are left.

    Examples:
        >>> from hemashift.model.bundle import default_model
        >>> model, _ = limited_to(default_model(), ["LYT", "neutrophils", "monocyte"])
        >>> model.card.classes
        ('lymphocyte', 'monocyte', 'neutrophil')
    """
    if only is None:
        return model, []
    classes = model.card.classes
    named = {meaning_of(name, classes, taxonomy): name for name in only}
    unknown = [name for meaning, name in named.items() if meaning not in classes]
    if unknown:
        raise AdaptationError(
            "the model does not know all classes that are said to occur",
            expected=", ".join(classes),
            found=", ".join(unknown),
            hint="name only classes of the model; others come in with their first labels",
        )
    also = [name for name in classes if name in set(labelled) and name not in named]
    kept = [place for place, name in enumerate(classes) if name in named or name in also]
    if len(kept) < 2:
        raise AdaptationError(
            "a model needs at least two classes to tell apart",
            expected=", ".join(classes),
            found=", ".join(classes[place] for place in kept) or "none",
        )
    notes = [f"{name} is not among the classes named, but cells are labelled so." for name in also]
    absent = [name for place, name in enumerate(classes) if place not in kept]
    if absent:
        notes.append(f"Never given, as they are said not to occur: {', '.join(absent)}.")
    limited = model.limited(kept)
    if model.card.trust is None:
        return limited, notes
    known = read_trust(model)
    probe = known.probe
    if probe is not None:
        probe = probe[[place for place in kept if place < len(probe)]]
    return attach(limited, Trust(source=known.source, probe=probe, others=known.others)), notes
