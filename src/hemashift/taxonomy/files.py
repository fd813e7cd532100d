"""Reading taxonomies: the built-in one, and a laboratory's own classes and labels."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hemashift.errors import TaxonomyError
from hemashift.taxonomy.classes import CLASSES, OUTSIDE, class_name_fault
from hemashift.taxonomy.core import CellType, Taxonomy, keys

_BUILT_IN = Path(__file__).with_name("cell_types.toml")
_TYPE_KEYS = {"name", "parent", "ontology", "synonyms", "outside"}
_FILE_KEYS = {"classes", "labels", "types", "maturation"}


@lru_cache(maxsize=1)
def default_taxonomy() -> Taxonomy:
    """Return the built-in taxonomy: the types of `cell_types.toml`, sorted into `CLASSES`."""
    content = tomllib.loads(_BUILT_IN.read_text(encoding="utf-8"))
    taxonomy = Taxonomy(
        types=_parse_types(content["types"], {}), series=_parse_series(content["maturation"])
    )
    taxonomy.check()
    return taxonomy


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a user's file on top of the built-in types; see `Taxonomy.from_file`."""
    content = _load(path)
    unknown = sorted(set(content) - _FILE_KEYS)
    if unknown:
        raise TaxonomyError(
            f"unknown key {unknown[0]!r}", expected=", ".join(sorted(_FILE_KEYS)), where=path
        )
    base = default_taxonomy()
    try:
        added = _parse_types(_table(content, "types"), base.types)
        taxonomy = Taxonomy(
            types={**base.types, **added},
            classes=_parse_classes(content.get("classes", list(CLASSES))),
            series={**base.series, **_parse_series(_table(content, "maturation"))},
        )
        taxonomy.check()
        labels = _parse_labels(taxonomy, _table(content, "labels"))
    except TaxonomyError as error:
        # The checks know what is wrong; only here is it known in which file.
        raise TaxonomyError(
            error.message, expected=error.expected, found=error.found, where=path
        ) from None
    return replace(taxonomy, labels=labels)


def _parse_labels(taxonomy: Taxonomy, labels: Mapping[str, Any]) -> dict[str, str | None]:
    """Check a user's label mapping and normalise its labels."""
    result: dict[str, str | None] = {}
    first: dict[str, tuple[str, str | None]] = {}
    for label, value in labels.items():
        if value != OUTSIDE and value not in taxonomy.classes:
            raise TaxonomyError(
                f"label {label!r} is mapped to {value!r}, which is not one of the classes",
                expected=", ".join((*taxonomy.classes, OUTSIDE)),
            )
        target = None if value == OUTSIDE else str(value)
        own = next((c for c in taxonomy.classes if keys(c)[0] == keys(label)[0]), None)
        if own is not None and own != target:
            raise TaxonomyError(f"label {label!r} is the class {own!r}, not {value!r}")
        known = taxonomy.resolve(label)
        meaning = keys(label)[0] if known is None else known.code
        if meaning in first and first[meaning][1] != target:
            raise TaxonomyError(
                f"labels {first[meaning][0]!r} and {label!r} mean the same cell, "
                "but are mapped to different classes",
                found=f"{first[meaning][1] or OUTSIDE} and {target or OUTSIDE}",
            )
        first[meaning] = (label, target)
        names = (label,) if known is None else (label, known.code, known.name, *known.synonyms)
        for key in (key for name in names for key in keys(name)):
            result[key] = target
    return result


def _parse_types(types: Mapping[str, Any], known: Mapping[str, CellType]) -> dict[str, CellType]:
    """Build cell types, each with the main class of its nearest ancestor that is one."""
    for code, entry in types.items():
        if code in known:
            raise TaxonomyError(f"the cell code {code} is built in and cannot be given anew")
        _check_type(code, entry)

    def main_class(code: str | None, seen: frozenset[str]) -> str | None:
        if code is None:
            return None
        if code in known:
            return known[code].main_class
        if code not in types or code in seen:
            return None  # Missing parents and circles are reported by Taxonomy.check.
        entry = types[code]
        if entry.get("outside", False):
            return None
        if entry["name"] in CLASSES:
            return str(entry["name"])
        return main_class(entry.get("parent"), seen | {code})

    return {
        code: CellType(
            code=code,
            name=entry["name"],
            parent=entry.get("parent"),
            main_class=main_class(code, frozenset()),
            cell_ontology_id=entry.get("ontology"),
            synonyms=tuple(entry.get("synonyms", ())),
        )
        for code, entry in types.items()
    }


def _check_type(code: str, entry: Any) -> None:
    """Refuse what is no description of a cell type."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise TaxonomyError(f"the cell type {code} needs a name")
    extra = sorted(set(entry) - _TYPE_KEYS)
    if extra:
        raise TaxonomyError(
            f"the cell type {code} has an unknown key {extra[0]!r}",
            expected=", ".join(sorted(_TYPE_KEYS)),
        )
    good = {
        "parent": (isinstance(entry.get("parent", ""), str), "the code of a cell type"),
        "ontology": (isinstance(entry.get("ontology", ""), str), "an id such as CL:0000542"),
        "synonyms": (_is_list_of_texts(entry.get("synonyms", [])), "a list of names"),
        "outside": (isinstance(entry.get("outside", False), bool), "true or false"),
    }
    for key, (fits, expected) in good.items():
        if not fits:
            raise TaxonomyError(
                f"the key {key!r} of the cell type {code} is not understood",
                expected=expected,
                found=repr(entry[key]),
            )


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _parse_series(series: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    for name, codes in series.items():
        if not _is_list_of_texts(codes):
            raise TaxonomyError(
                f"the maturation series {name!r} must be a list of cell codes", found=repr(codes)
            )
    return {name: tuple(codes) for name, codes in series.items()}


def _parse_classes(classes: Any) -> tuple[str, ...]:
    good = _is_list_of_texts(classes) and all(map(str.strip, classes))
    if not good or len(classes) < 2:
        raise TaxonomyError("classes must be a list of at least two names", found=repr(classes))
    if OUTSIDE in classes:
        raise TaxonomyError(f"{OUTSIDE!r} is what belongs to no class; it cannot be a class")
    for fault in filter(None, map(class_name_fault, classes)):
        raise TaxonomyError("a class cannot have this name", found=fault)
    return tuple(classes)


def _table(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise TaxonomyError(f"{key} must be a table of names and values", found=repr(value))
    return value


def _load(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON file whose top level is a table."""
    if path.suffix.lower() not in (".toml", ".json"):
        raise TaxonomyError(
            "a class file must be TOML or JSON", expected=".toml or .json", where=path
        )
    try:
        text = path.read_text(encoding="utf-8")
        content = (
            json.loads(text, object_pairs_hook=_refuse_repeats)
            if path.suffix.lower() == ".json"
            else tomllib.loads(text)
        )
    except OSError as error:
        raise TaxonomyError("the class file cannot be read", found=str(error), where=path) from None
    # The errors of both decoders are ValueErrors; nesting without end is the other one.
    except (ValueError, RecursionError) as error:
        raise TaxonomyError("the class file is not valid", found=str(error), where=path) from None
    if not isinstance(content, dict):
        raise TaxonomyError("the class file must hold a table", where=path)
    return content


def _refuse_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a JSON key given twice, as TOML does: one of the two meanings would be lost."""
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is given twice")
    return result
