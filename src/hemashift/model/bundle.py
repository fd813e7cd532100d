"""The model folder: card, graph, weights and head, checked by hash, never pickled.

    card.json              what the model is, see `Card`
    encoder.onnx           the graph: uint8 images (N, S, S, 3) to features and embedding
    encoder.safetensors    its weights, which the graph points into
    head.safetensors       tensors of the head
    trust.safetensors      how far to trust the answers, see `hemashift.trust`; not in every model

Weights are stored once: PyTorch reads them by name, the CPU runtime through the graph.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from hemashift.errors import HemashiftError, ModelFileError
from hemashift.files import check_writable, named_in_errors
from hemashift.model.card import Card, TrustSpec, format_version_of
from hemashift.model.folder import foreign_to, read_file
from hemashift.model.graph import check_external
from hemashift.model.heads import Head, check_widths, head_from_tensors
from hemashift.model.tensors import (
    Array,
    check_finite,
    load_tensors,
    overwrite,
    save_tensors,
    spans,
)
from hemashift.model.versions import versions

CARD, GRAPH, WEIGHTS, HEAD = "card.json", "encoder.onnx", "encoder.safetensors", "head.safetensors"
FILES = (GRAPH, WEIGHTS, HEAD)
TRUST = "trust.safetensors"
# Shipped: trained on all data that the licences allow, and on the sources of the paper only.
DEFAULT, TWO_SOURCES = "lite0-four-laboratories", "lite0-robust"
MAX_CARD_BYTES = 4 * 2**20
MAX_FILE_BYTES = 2 * 2**30


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model in memory, as it is in its folder.

    Attributes:
        card: What the model is.
        contents: The bytes of the other files, by file name.
    """

    card: Card
    contents: Mapping[str, bytes]

    @classmethod
    def create(
        cls, card: Card, graph: bytes, weights: Mapping[str, Array] | bytes, head: Head
    ) -> Bundle:
        """Put a model together; the card's hashes, classes and head are filled in.

        Args:
            card: What the model is.
            graph: The ONNX graph.
            weights: Its weights, as arrays or as safetensors bytes.
            head: The head.

        Raises:
            ModelFileError: Graph, weights and head do not belong together.
        """
        contents = {
            GRAPH: graph,
            WEIGHTS: weights if isinstance(weights, bytes) else save_tensors(weights),
            HEAD: save_tensors(head.to_tensors()),
        }
        card = card.updated(
            format_version=format_version_of(head.spec, None),
            files={name: _sha256(data) for name, data in contents.items()},
            classes=head.classes,
            head=head.spec,
            temperature=head.temperature,
            trust=None,
        )
        bundle = cls(card, contents)
        bundle.check()
        return bundle

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Read a model folder and check it.

        Args:
            folder: The model folder.

        Raises:
            ModelFileError: A file is missing, was changed, or is of a newer format.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise ModelFileError(
                "there is no model here",
                expected=f"a folder with {CARD}, {', '.join(FILES)}",
                found="a file" if folder.exists() else "nothing",
                where=folder,
                hint="give the folder that `hemashift` wrote, not a file in it",
            )
        card = Card.parse(read_file(folder / CARD, MAX_CARD_BYTES), where=str(folder / CARD))
        names = _names(card)
        bundle = cls(card, {name: read_file(folder / name, MAX_FILE_BYTES) for name in names})
        bundle.check(where=folder)
        return bundle

    def save(self, folder: str | Path) -> Path:
        """Write the model folder: aside first, then renamed as a whole.

        Args:
            folder: Where; a model that is already there is replaced.

        Returns:
            The folder.

        Raises:
            ModelFileError: Something that is not a model is there.
        """
        folder = Path(folder)
        check_place(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".part", dir=folder.parent))
        try:
            fresh = aside / "new"
            fresh.mkdir()  # unlike mkdtemp, with the permissions of any new folder
            with named_in_errors(folder):
                self.write_files(fresh)
            if folder.exists():
                folder.rename(aside / "old")
            try:
                fresh.rename(folder)
            except BaseException:
                with suppress(OSError):
                    (aside / "old").rename(folder)
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return folder

    def write_files(self, folder: Path) -> None:
        """Write all files into an existing folder."""
        for name, data in self.contents.items():
            (folder / name).write_bytes(data)
        (folder / CARD).write_text(self.card.to_json(), encoding="utf-8")

    def check(self, *, where: str | Path = "model") -> None:
        """Check hashes, that card, graph, weights and head belong together, and all values.

        Raises:
            ModelFileError: They do not.
        """
        names = _names(self.card)
        if set(self.card.files) != set(names):
            raise ModelFileError(
                "the model's card lists other files than a model has",
                expected=", ".join(names),
                found=", ".join(sorted(self.card.files)),
                where=where,
            )
        for name in names:
            found = _sha256(self.contents[name])
            if found != self.card.files[name]:
                raise ModelFileError(
                    f"{name} was changed or damaged: its hash is not the one in the card",
                    expected=self.card.files[name],
                    found=found,
                    where=where,
                    hint="copy the whole model folder again",
                )
        weights = spans(self.contents[WEIGHTS], where=f"{where}/{WEIGHTS}")
        check_external(self.contents[GRAPH], WEIGHTS, weights)
        check_finite(self.contents[WEIGHTS], weights, where=f"{where}/{WEIGHTS}")
        check_widths(self.head, self.card.n_features, self.card.n_embedding)

    @property
    def hash(self) -> str:
        """Hash of the whole model, 64 hexadecimal digits."""
        return self.card.hash

    @property
    def facts(self) -> dict[str, Any]:
        """The card as JSON values, and the `hash`, as evaluations and reports keep them."""
        return {**self.card.model_dump(mode="json"), "hash": self.hash}

    @cached_property
    def head(self) -> Head:
        """The head, ready for use."""
        tensors: dict[str, Any] = load_tensors(self.contents[HEAD], where=HEAD)
        return head_from_tensors(self.card.head, self.card.classes, tensors, self.card.temperature)

    def weights(self) -> dict[str, Array]:
        """Return the encoder's weights by their PyTorch names, as stored (float16, float32)."""
        return load_tensors(self.contents[WEIGHTS], where=WEIGHTS)

    def trust_tensors(self) -> dict[str, Array]:
        """Return the trust data by name, nothing where the model has none."""
        if self.card.trust is None:
            return {}
        return load_tensors(self.contents[TRUST], where=TRUST)

    def with_trust(self, spec: TrustSpec, tensors: Mapping[str, Array]) -> Bundle:
        """Return the same model with trust data, in place of what it had.

        Args:
            spec: What the tensors are.
            tensors: The data, see `hemashift.trust.storage`.
        """
        contents = {name: self.contents[name] for name in FILES}
        contents[TRUST] = save_tensors(tensors)
        files = {name: _sha256(data) for name, data in contents.items()}
        version = format_version_of(self.card.head, spec)
        card = self.card.updated(format_version=version, files=files, trust=spec)
        return Bundle(card, contents)

    def with_head(self, head: Head, **card: Any) -> Bundle:
        """Return a model with the same encoder and another head.

        The trust data are left out, since they belong to the old head.

        Args:
            head: The head; its classes, kind and temperature go into the card.
            **card: Other fields of the card to change, such as ``name`` or ``metrics``.

        Returns:
            A new model whose card names this one as its parent.
        """
        return Bundle.create(self._child(card), self.contents[GRAPH], self.contents[WEIGHTS], head)

    def with_weights(
        self, weights: Mapping[str, Array], head: Head | None = None, **card: Any
    ) -> Bundle:
        """Return a model with the same graph and other weights, for instance fine-tuned ones.

        As the graph only points to the weights, nothing has to be exported again. The trust data
        are left out, since they belong to the old weights.

        Args:
            weights: Tensors by name, of the same shapes; those not given stay as they are.
            head: Another head, or None to keep this one.
            **card: Fields of the card to change.

        Raises:
            ModelFileError: A name or shape does not fit.
        """
        data = overwrite(self.contents[WEIGHTS], weights, where=WEIGHTS)
        return Bundle.create(self._child(card), self.contents[GRAPH], data, head or self.head)

    def with_statistics(self, statistics: Mapping[str, Array]) -> Bundle:
        """Return the same model with other batch-norm statistics.

        No label was needed for them, so it is no child: head, trust data and card stay.

        Args:
            statistics: Means and variances by name.

        Raises:
            ModelFileError: A name or shape does not fit.
        """
        data = overwrite(self.contents[WEIGHTS], statistics, where=WEIGHTS)
        files = {**self.card.files, WEIGHTS: _sha256(data)}
        return Bundle(self.card.updated(files=files), {**self.contents, WEIGHTS: data})

    def limited(self, kept: Sequence[int]) -> Bundle:
        """Return the same model of only some of its classes: the others it never gives.

        No label was needed for that, so it is no child. The trust data are left out, since they
        speak of all classes.

        Args:
            kept: Rising indices into the classes.
        """
        head = self.head.limited(kept)
        return Bundle.create(self.card, self.contents[GRAPH], self.contents[WEIGHTS], head)

    def _child(self, changes: dict[str, Any]) -> Card:
        fresh = {"parent": self.hash, "created": datetime.now(UTC), "versions": versions()}
        return self.card.updated(**{**fresh, **changes})


def check_place(folder: str | Path) -> None:
    """Refuse to write a model where something else is; `Bundle.save` does so too.

    Args:
        folder: Where a model is to be written.

    Raises:
        ModelFileError: Something that is not a model is there.
        HemashiftError: Nothing can be written there.
    """
    folder = Path(folder)
    foreign = foreign_to(folder, CARD, (*FILES, TRUST)) if folder.exists() else None
    if foreign is not None:
        raise ModelFileError(
            "this is not a model, so it is not overwritten",
            found=foreign,
            where=folder,
            hint="give the name of a new folder",
        )
    check_writable(folder / CARD)


def check_report_apart(report: str | Path, folder: str | Path) -> None:
    """Refuse to write a report into the folder of a model, which holds nothing else.

    Args:
        report: The report to be written.
        folder: The folder of the model.

    Raises:
        HemashiftError: It lies in the folder.
    """
    if Path(report).resolve().is_relative_to(Path(folder).resolve()):
        raise HemashiftError(
            "the report cannot lie in the folder of the model",
            expected=f"a place outside {folder}",
            where=report,
            hint="name one beside the folder",
        )


def shipped_models() -> dict[str, Path]:
    """Return the models that come with hemashift, by name."""
    folder = Path(str(resources.files("hemashift.model"))) / "shipped"
    return {card.parent.name: card.parent for card in sorted(folder.glob(f"*/{CARD}"))}


def default_model() -> Bundle:
    """Load the model that an adaptation starts from where none is named: `DEFAULT`.

    Raises:
        ModelFileError: This installation has none.
    """
    models = shipped_models()
    if not models:
        raise ModelFileError(
            "this installation of hemashift comes without a model",
            hint="name a model folder with --model, or install hemashift from its wheel",
        )
    return Bundle.load(models.get(DEFAULT, next(iter(models.values()))))


def load_model(model: str | Path) -> Bundle:
    """Load a model folder, or a model that comes with hemashift by its name.

    Args:
        model: A folder, or a name of `shipped_models` where there is no such folder.

    Raises:
        ModelFileError: It is not there, a file is missing or was changed, or it is of a newer
            format.

    Examples:
        >>> load_model("lite0-robust").card.name
        'lite0-robust'
    """
    if not Path(model).exists():
        model = shipped_models().get(str(model), Path(model))
    return Bundle.load(model)


def _names(card: Card) -> tuple[str, ...]:
    """Return the files that a model with this card has beside the card."""
    return FILES if card.trust is None else (*FILES, TRUST)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
