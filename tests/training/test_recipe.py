from __future__ import annotations

import pytest

from hemashift.errors import HemashiftError
from hemashift.training.optimisation import learning_rate
from hemashift.training.recipe import PRESETS, Recipe, recipe


def test_the_paper_trains_as_published() -> None:
    paper = recipe("paper")
    assert (paper.architecture, paper.optimiser, paper.schedule) == (
        "efficientnet_b0",
        "adam",
        "constant",
    )
    assert (paper.batch_size, paper.learning_rate, paper.epochs, paper.size) == (16, 1e-4, 15, 224)
    assert paper.label_smoothing > 0
    assert paper.held_out == 0.2
    assert paper.augmentation.only == ("barcelona",)
    assert not paper.scale
    assert {paper.size_at(step, 100) for step in range(100)} == {224}


def test_none_leaves_the_value_of_the_preset() -> None:
    assert recipe("robust", epochs=None) == PRESETS["robust"]
    assert recipe("robust", epochs=2).epochs_of(1) == 2
    assert recipe("robust").epochs_of(1) == PRESETS["robust"].least_steps


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 0},
        {"epoch": 3},
        {"augmentation": {"window": (1.2, 0.8)}},
        {"architecture": "vit", "size": 160},
        {"architecture": "inception_v3", "size": 64},
        {"architecture": "inception_v3", "size": 96, "early_size": 64, "early_part": 0.5},
        {"weights": "mine"},
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(HemashiftError) as caught:
        recipe("robust", **changes)
    assert "input_value" not in str(caught.value)  # in words, not as the library puts it


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(HemashiftError, match="paper or robust"):
        recipe("best")


def test_small_images_come_first_and_never_exceed_the_size() -> None:
    settings = Recipe(size=128, early_size=160, early_part=0.5)
    assert {settings.size_at(step, 10) for step in range(10)} == {128}
    settings = Recipe(size=224, early_size=160, early_part=0.5)
    assert [settings.size_at(step, 4) for step in range(4)] == [160, 160, 224, 224]
    assert Recipe(architecture="vit", early_part=0.5).size_at(0, 10) == 224


def test_the_learning_rate_climbs_then_falls_to_nothing() -> None:
    settings = Recipe(learning_rate=1e-3, warm_up=0.2)
    rates = [learning_rate(step, 100, settings) for step in range(100)]
    assert max(rates) == pytest.approx(1e-3)
    peak = rates.index(max(rates))
    assert peak in (19, 20)
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert 0 <= rates[-1] < 1e-5


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_very_short_training_has_a_learning_rate(steps: int) -> None:
    rates = [learning_rate(step, steps, Recipe()) for step in range(steps)]
    assert all(0 <= rate <= Recipe().learning_rate for rate in rates)
    assert rates[0] > 0


def test_a_constant_learning_rate_stays() -> None:
    settings = recipe("paper")
    assert {learning_rate(step, 50, settings) for step in range(50)} == {1e-4}
