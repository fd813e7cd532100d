from __future__ import annotations

import re

import pytest

from hemashift.taxonomy import CLASS_COLOURS, CLASSES, OUTSIDE, default_taxonomy

TAXONOMY = default_taxonomy()

# The glossary of the paper, with what each code counts as here.
GLOSSARY = {
    "ABE": None,
    "ART": None,
    "BAS": "basophil",
    "BLA": None,
    "EBO": "erythroblast",
    "EOS": "eosinophil",
    "ERA": "erythroblast",
    "ERB": "erythroblast",
    "ERO": "erythroblast",
    "ERP": "erythroblast",
    "FGC": None,
    "HAC": None,
    "KSC": None,
    "LYA": None,
    "LYI": None,
    "LYT": "lymphocyte",
    "MMZ": None,
    "MON": "monocyte",
    "MYB": None,
    "MYO": None,
    "NEU": "neutrophil",
    "NGB": "neutrophil",
    "NGS": "neutrophil",
    "NIF": None,
    "OTH": None,
    "PBL": None,
    "PEB": None,
    "PLA": None,
    "PLM": None,
    "PMB": None,
    "PMO": None,
    "THO": None,
}


@pytest.mark.parametrize(("code", "expected"), GLOSSARY.items())
def test_every_code_of_the_glossary_is_a_cell_type(code: str, expected: str | None) -> None:
    cell = TAXONOMY.resolve(code)
    assert cell is not None
    assert cell.main_class == expected
    assert TAXONOMY.main_class(code) == expected


@pytest.mark.parametrize("label", ["WBC", "white blood cell", "BMS", "GAN", "MGG", "PBS", "", "?"])
def test_what_is_no_particular_cell_resolves_to_none(label: str) -> None:
    assert TAXONOMY.resolve(label) is None
    assert TAXONOMY.main_class(label) is None


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("BA", "BAS"),
        ("EO", "EOS"),
        ("LY", "LYT"),
        ("MO", "MON"),
        ("BNE", "NGB"),
        ("SNE", "NGS"),
        ("MMY", "MMZ"),
        ("MY", "MYB"),
        ("PMY", "PMO"),
        ("IG", "IG"),
        ("PLATELET", "PLA"),
        ("baso", "BAS"),
        ("eosino", "EOS"),
        ("lymph", "LYT"),
        ("mono", "MON"),
        ("segs", "NGS"),
        ("bands", "NGB"),
        ("nRBC", "EBO"),
        ("nucleated_RBC", "EBO"),
        ("Neutrophil_Seg", "NGS"),
        ("01_basophil", "BAS"),
        ("2 - Eosinophils", "EOS"),
        ("Éosinophile", "EOS"),
        ("Lymphozyten", "LYT"),
        ("Stabkernige", "NGB"),
        ("neutrófilos", "NEU"),
        ("Monociti", "MON"),
        ("nötrofil", "NEU"),
        ("эритробласты", "EBO"),
        ("normoblast", "EBO"),
        ("polymorphonuclear", "NEU"),
        ("Segmented_Neutrophils", "NGS"),
        ("Neutrophil (band)", "NGB"),
        ("neutrophil, segmented", "NGS"),
        ("segmentedneutrophil", "NGS"),
        ("  orthochromatic   Normoblast ", "ERO"),
        ("smudge cells", "KSC"),
        ("Lymphocyte (typical)", "LYT"),
    ],
)
def test_synonyms_case_spaces_and_plurals(label: str, code: str) -> None:
    cell = TAXONOMY.resolve(label)
    assert cell is not None
    assert cell.code == code


def test_main_class_is_inherited_along_the_parents_except_where_set_outside() -> None:
    for cell in TAXONOMY.types.values():
        named = [TAXONOMY.types[code].name for code in (cell.code, *TAXONOMY.ancestors(cell.code))]
        inherited = next((name for name in named if name in CLASSES), None)
        assert cell.main_class in (inherited, None)
    assert TAXONOMY.ancestors("LYA") == ("LYT",)
    assert TAXONOMY.main_class("LYA") is None


def test_roll_up_to_other_classes() -> None:
    assert TAXONOMY.roll_up("SNE", ["band neutrophil", "neutrophil"]) == "neutrophil"
    assert TAXONOMY.roll_up("BNE", ["band neutrophil", "neutrophil"]) == "band neutrophil"
    assert TAXONOMY.roll_up("PMB", ["immature granulocyte"]) == "immature granulocyte"
    assert TAXONOMY.roll_up("monocyte", ["granulocyte", "lymphocyte"]) is None
    assert TAXONOMY.roll_up("atypical lymphocyte", CLASSES) is None
    assert TAXONOMY.roll_up("atypical lymphocyte", ["LYA", "LYT"]) == "LYA"
    assert TAXONOMY.roll_up("a word of ours", ["A word of OURS", "b"]) == "A word of OURS"


def test_maturation_goes_from_blast_to_mature() -> None:
    order = ["myeloblast", "promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented"]
    assert [TAXONOMY.stage(name) for name in order] == [("granulopoiesis", i) for i in range(6)]
    red = ["pronormoblast", "basophilic normoblast", "polychromatic normoblast", "ERO"]
    assert [TAXONOMY.stage(name) for name in red] == [("erythropoiesis", i) for i in range(4)]
    assert TAXONOMY.stage("monocyte") is None
    assert TAXONOMY.stage("no such cell") is None


def test_ontology_ids_are_well_formed_and_used_once() -> None:
    ids = [c.cell_ontology_id for c in TAXONOMY.types.values() if c.cell_ontology_id]
    assert all(re.fullmatch(r"CL:\d{7}", number) for number in ids)
    assert len(set(ids)) == len(ids)
    by_name = {c.name: c.cell_ontology_id for c in TAXONOMY.types.values()}
    assert [by_name[name] for name in CLASSES] == [
        "CL:0000767",
        "CL:0000771",
        "CL:0000765",
        "CL:0000542",
        "CL:0000576",
        "CL:0000775",
    ]


def test_every_class_has_a_colour_of_its_own() -> None:
    assert set(CLASS_COLOURS) == {*CLASSES, OUTSIDE}
    assert len(set(CLASS_COLOURS.values())) == len(CLASS_COLOURS)
