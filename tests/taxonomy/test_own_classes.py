from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemashift.errors import TaxonomyError
from hemashift.taxonomy import CLASSES, Taxonomy


def _write(folder: Path, text: str) -> Path:
    path = folder / "ours.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_own_classes_and_labels(tmp_path: Path) -> None:
    taxonomy = Taxonomy.from_file(
        _write(
            tmp_path,
            """
            classes = ["band neutrophil", "segmented neutrophil", "Zebra cell"]
            [labels]
            7 = "Zebra cell"
            hypersegmented = "outside"
            """,
        )
    )
    assert taxonomy.classes == ("band neutrophil", "segmented neutrophil", "Zebra cell")
    assert taxonomy.main_class("stab") == "band neutrophil"
    assert taxonomy.main_class("7") == "Zebra cell"
    assert taxonomy.main_class("ZEBRA-CELLS") == "Zebra cell"
    assert taxonomy.main_class("lymphocyte") is None
    # A kind of segmented neutrophil, but the laboratory says that it is to stay outside.
    assert taxonomy.main_class("hypersegmented neutrophil") is None


def test_a_label_brings_its_synonyms_along(tmp_path: Path) -> None:
    taxonomy = Taxonomy.from_file(_write(tmp_path, '[labels]\nLYA = "lymphocyte"'))
    assert taxonomy.classes == CLASSES
    assert taxonomy.main_class("reactive lymphocytes") == "lymphocyte"


def test_json_and_new_types(tmp_path: Path) -> None:
    path = tmp_path / "ours.json"
    content = {"types": {"SEZ": {"name": "Sezary cell", "parent": "LYT", "synonyms": ["sez"]}}}
    path.write_text(json.dumps(content), encoding="utf-8")
    taxonomy = Taxonomy.from_file(path)
    cell = taxonomy.resolve("sezary cells")
    assert cell is not None
    assert (cell.code, cell.main_class) == ("SEZ", "lymphocyte")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[labels]\nNGS = "monocyte"\nseg = "neutrophil"', "mapped to different classes"),
        ('[labels]\nneutrophil = "monocyte"', "is the class 'neutrophil'"),
        ('[labels]\nNGS = "granny"', "not one of the classes"),
        ('classes = ["neutrophil", "Neutrophils"]', "mean the same cell"),
        ('classes = ["neutrophil", "PMN"]', "mean the same cell"),
        ('classes = ["neutrophil", "outside"]', "cannot be a class"),
        ('classes = ["neutrophil", "=cell"]', "cannot have this name"),
        ('classes = ["neutrophil", "unidentified"]', "cannot have this name"),
        ('classes = ["neutrophil"]', "at least two"),
        ("classes = 3", "at least two"),
        ('colour = "red"', "unknown key 'colour'"),
        ('[types.NGS]\nname = "x"', "built in"),
        ('[types.QQQ]\nname = "q"\nparent = "ZZZ"', "not a cell code"),
        ('[types.A1]\nname = "q"\nparent = "A1"', "circle"),
        ('[types.QQQ]\nname = "monocytes"', "names both"),
        ('[types.QQQ]\nparent = "NGS"', "needs a name"),
        ('[types.QQQ]\nname = "q"\nage = 3', "unknown key 'age'"),
        ('[types.QQQ]\nname = "q"\nsynonyms = "LY"', "'synonyms' of the cell type QQQ"),
        ('[types.QQQ]\nname = "q"\nsynonyms = 5', "'synonyms' of the cell type QQQ"),
        ('[types.QQQ]\nname = "q"\nsynonyms = [1]', "'synonyms' of the cell type QQQ"),
        ('[types.QQQ]\nname = "q"\nparent = ["NGS"]', "'parent' of the cell type QQQ"),
        ('[types.QQQ]\nname = "q"\noutside = "no"', "'outside' of the cell type QQQ"),
        ('[types.QQQ]\nname = "q"\nontology = 5', "'ontology' of the cell type QQQ"),
        ('[maturation]\nours = ["MYO", "ZZZ"]', "not a cell code"),
        ('[maturation]\nours = ["MYO", ["MYB"]]', "must be a list"),
        ('[maturation]\nours = "MYO"', "must be a list"),
        ("classes = " + "[" * 9999, "not valid"),
        ('labels = "x"', "must be a table"),
        ("classes = [", "not valid"),
    ],
)
def test_contradictions_and_mistakes_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(TaxonomyError, match=message) as caught:
        Taxonomy.from_file(path)
    assert caught.value.where == str(path)


def test_a_json_key_given_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ours.json"
    path.write_text('{"labels": {"a": "monocyte", "a": "basophil"}}', encoding="utf-8")
    with pytest.raises(TaxonomyError, match="not valid") as caught:
        Taxonomy.from_file(path)
    assert "'a' is given twice" in str(caught.value)


def test_missing_file_and_wrong_suffix(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="cannot be read"):
        Taxonomy.from_file(tmp_path / "none.toml")
    with pytest.raises(TaxonomyError, match="TOML or JSON"):
        Taxonomy.from_file(tmp_path / "ours.yaml")
