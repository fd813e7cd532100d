"""Study 2: which network moves best to images from elsewhere.

Section "Training strategy" of Chossegros et al. 2024: "a preliminary comparison was drawn between
[...] VGG16, ResNet101, EfficientNet-B0, ViT, and Inception V3, in order to determine the model
that would exhibit the best performances on out-of-domain images. This evaluation was based on a
small subset of images." EfficientNet-Lite0, on which the shipped model rests, is compared as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import pandas as pd

from hemashift.model.extra import train_extra_missing
from hemashift.reports.frames import rows_of
from hemashift.reports.parts import percent
from hemashift.reports.sections import Pictures, Section, Table
from hemashift.reports.study_figures_conditions import draw_conditions
from hemashift.studies.contract import Drawn, Illustration, Part, Results
from hemashift.studies.fingerprint import key_of
from hemashift.studies.networks import compared
from hemashift.studies.workspace import Workspace


class Architectures:
    """The comparison of networks on out-of-domain images."""

    name = "architectures"
    title = "Architectures"
    about = (
        "Networks trained alike on a small part of the source datasets, and scored as they are on "
        "targets that they have not seen (the preliminary comparison of the paper)."
    )
    version = 1

    def parts(self, work: Workspace) -> Iterable[Part]:
        """One part a network."""
        options = work.settings.study.architectures
        weights = _weights(options.names, work.settings.download)
        data = {one.name: one.fingerprint for one in (*work.sources(), *work.targets())}
        for name in options.names:
            random = {"weights": "random"} if weights[name] == "random" else {}
            wanted = options.recipe_of(name, work.settings.seed, **random)
            facts: dict[str, Any] = {
                "recipe": wanted.model_dump(mode="json"),
                "weights": weights[name],
                "per_class": options.per_class,
                "scored": options.scored,
                "timed": options.timed,
                "data": data,
            }
            yield Part(name, facts, partial(compared, work, wanted, key_of(facts)))

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw the table of networks and the accuracy on each target."""
        networks, scores = results.table("networks"), results.table("scores")
        if networks.empty:
            return Drawn([])
        means = scores.groupby("architecture", sort=False)[["accuracy", "macro_f1"]].mean()
        summary = networks.merge(means.reset_index(), on="architecture", how="left")
        random = summary[summary["weights"] == "random"]["architecture"].tolist()
        sections: list[Section] = [_table(summary)]
        if len(scores):
            sections.append(_figure(scores, summary["architecture"].tolist(), random))
        return Drawn(sections, {"summary": summary})


def _weights(names: Sequence[str], download: bool) -> dict[str, str]:
    """Return for each network `installed`, `to download`, or `random` where there is no way."""
    try:
        import torch  # noqa: F401

        from hemashift.studies.weights import have_weights
    except ImportError as error:
        raise train_extra_missing() from error
    found = {}
    for name in names:
        local = have_weights(name, download=False)
        found[name] = "installed" if local else "to download" if download else "random"
    return found


def _table(summary: pd.DataFrame) -> Table:
    rows = [
        (
            one["architecture"] + (" *" if one["weights"] == "random" else ""),
            str(one["size"]),
            percent(one["accuracy"]),
            percent(one["macro_f1"]),
            percent(one["held_out_accuracy"]),
            f"{one['parameters'] / 1e6:.1f}",
            f"{one['milliseconds']:.1f}",
            f"{one['training_seconds']:.0f}",
        )
        for one in rows_of(summary)
    ]
    columns = (
        "Network",
        "Input, pixels",
        "Accuracy, targets",
        "Macro F1, targets",
        "Accuracy, sources",
        "Parameters, millions",
        "ms an image",
        "Training, s",
    )
    note = (
        "Targets: mean over the target datasets, no adaptation. Sources: mean over the held-out "
        "cells of each source. ms an image: the CPU runtime on all threads, at the input size."
    )
    if (summary["weights"] == "random").any():
        note += (
            " * started from random weights, since its ImageNet weights are not installed and "
            "downloads are switched off: not comparable with the others."
        )
    return Table("Networks on images from elsewhere", columns, rows, note=note)


def _figure(scores: pd.DataFrame, names: Sequence[str], random: Sequence[str]) -> Pictures:
    own = scores.rename(columns={"architecture": "condition", "accuracy": "value"})
    figure = draw_conditions(own, names, "Accuracy without adaptation", marked=random)
    alt = "; ".join(
        f"{name}: {percent(part['value'].mean())}" for name, part in own.groupby("condition")
    )
    return Pictures(
        "Accuracy on each target",
        [Illustration(figure, f"Mean accuracy. {alt}", name="architectures")],
        note="* started from random weights." if random else "",
    )
