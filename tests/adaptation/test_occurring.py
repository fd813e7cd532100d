"""A model that is told which of its classes occur gives no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.adaptation import adapt, adapt_unlabelled
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.opinion import source_of
from hemashift.adaptation.prior import FOLLOWED, prior_weights
from hemashift.errors import AdaptationError
from hemashift.model.bundle import Bundle, default_model
from hemashift.taxonomy import Taxonomy
from hemashift.trust.storage import Trust, attach, read_trust

from .conftest import MakeTask, draw_cell

THREE = ["lymphocyte", "monocyte", "neutrophil"]


def test_the_order_of_the_model_is_kept_and_names_are_resolved() -> None:
    model, notes = limited_to(default_model(), ["NGS", "MO", "lymphocytes", "neutrophil"])
    assert model.card.classes == tuple(THREE)
    assert notes == ["Never given, as they are said not to occur: basophil, eosinophil, "
                     "erythroblast."]  # fmt: skip


def test_answers_are_those_of_the_whole_model_among_the_classes(
    bundle: Bundle, make_task: MakeTask
) -> None:
    encoded = make_task(THREE * 2).cells.encoded
    limited, _ = limited_to(bundle, THREE)
    before = bundle.head.probabilities(encoded)
    kept = before[:, [bundle.card.classes.index(name) for name in THREE]]
    expected = kept / kept.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(limited.head.probabilities(encoded), expected, atol=1e-5)


def test_what_the_source_knows_of_the_classes_is_kept(bundle: Bundle, make_task: MakeTask) -> None:
    width = bundle.card.n_features
    known = np.random.default_rng(0).normal(size=(len(bundle.card.classes), width))
    whole = attach(bundle, Trust(probe=known, others=known[0]))
    limited, _ = limited_to(whole, THREE)
    rows = [whole.card.classes.index(name) for name in THREE]
    task = make_task(THREE, model=limited)
    np.testing.assert_allclose(
        prior_weights(task, "features"), FOLLOWED * known[rows].astype(np.float32)
    )
    kept = read_trust(limited).others
    assert kept is not None
    np.testing.assert_allclose(kept, known[0].astype(np.float32))
    assert source_of(task) is not None  # it has learnt from no label


def test_labelled_cells_count_whether_named_or_not() -> None:
    model, notes = limited_to(default_model(), THREE[:2], labelled=["neutrophil", "[odd]"])
    assert model.card.classes == tuple(THREE)
    assert "neutrophil is not among the classes named, but cells are labelled so." in notes


@pytest.mark.parametrize(
    "only, found",
    [(["lymphocyte", "blast"], "blast"), (["lymphocyte"], "lymphocyte"), ([], "none")],
)
def test_what_cannot_be_is_refused(only: list[str], found: str) -> None:
    with pytest.raises(AdaptationError) as error:
        limited_to(default_model(), only)
    assert error.value.found == found


def test_a_taxonomy_of_ones_own_names_them(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[labels]\nK1 = "monocyte"\nK2 = "neutrophil"\n')
    own = Taxonomy.from_file(tmp_path / "own.toml")
    model, _ = limited_to(default_model(), ["K1", "K2"], own)
    assert model.card.classes == ("monocyte", "neutrophil")


def test_an_adapted_model_and_its_new_class(laboratory: Path) -> None:
    labels = laboratory / "labels.csv"
    labels.write_text(labels.read_text().replace(",monocyte", ",[odd]"))
    adapted = adapt(laboratory / "cells", labels, method="blend").bundle
    assert adapted.card.classes[-1] == "[odd]"
    limited, _ = limited_to(adapted, ["neutrophil", "[odd]"])
    assert limited.card.classes == ("neutrophil", "[odd]")
    limited.save(laboratory / "limited")
    assert Bundle.load(laboratory / "limited").card.head == adapted.card.head


def test_only_classes_that_the_source_does_not_know(laboratory: Path) -> None:
    labels = laboratory / "labels.csv"
    text = labels.read_text().replace(",monocyte", ",[odd]").replace(",lymphocyte", ",[queer]")
    labels.write_text(text)
    adapted = adapt(laboratory / "cells", labels, method="blend").bundle
    assert adapted.card.head.kind == "mixed"
    limited, _ = limited_to(adapted, ["[odd]", "[queer]"])
    assert limited.card.classes == ("[odd]", "[queer]") and limited.card.head.kind == "linear"
    again = adapt(laboratory / "cells", labels, model=limited, method="blend")
    assert again.bundle.card.classes == ("[odd]", "[queer]", "neutrophil")


def test_adapt_is_scored_and_recorded_as_that_model(laboratory: Path) -> None:
    start = default_model()
    adapted = adapt(laboratory / "cells", laboratory / "labels.csv", method="probe", only=THREE[:2])
    card = adapted.bundle.card
    assert card.classes == adapted.before.classes == tuple(THREE)  # neutrophils are labelled
    assert card.parent == start.hash
    assert any(note.startswith("Never given") for note in adapted.notes)
    assert not any(note.startswith("Without a labelled cell") for note in adapted.notes)


def test_without_labels_no_other_class_is_given(laboratory: Path) -> None:
    start = default_model()
    cells = laboratory / "cells"
    for i in range(20):  # 50 images are needed
        Image.fromarray(draw_cell("monocyte", 50 + i)).save(cells / f"more-{i}.png")
    adapted = adapt_unlabelled(cells, only=["monocyte", "neutrophil"])
    assert adapted.bundle.card.parent == start.hash
    assert tuple(adapted.mix) == adapted.bundle.card.classes == ("monocyte", "neutrophil")
    assert "Never given" in str(adapted)
    probe = read_trust(adapted.bundle).probe
    assert probe is not None and len(probe) == 2


def test_a_model_without_a_probe_of_the_source(bundle: Bundle) -> None:
    limited, _ = limited_to(bundle, ["monocyte", "neutrophil"])
    assert limited.card.classes == ("monocyte", "neutrophil")
    assert limited.card.trust == bundle.card.trust
