"""Rules of the user, and when they raise a flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemashift.differential import Differential, FlagRule, flags, read_flag_rules
from hemashift.errors import TableError

COUNT = Differential.of({"neutrophil": 30, "lymphocyte": 170, "erythroblast": 20, "basophil": 0})


def test_rules_above_and_below() -> None:
    rules = (
        FlagRule("erythroblast", "above", 1),
        FlagRule("neutrophil", "below", 40, "neutropenia?"),
        FlagRule("basophil", "above", 2),
        FlagRule("a class nobody counted", "above", 0),
    )
    found = flags(COUNT, rules)
    assert [flag.rule.name for flag in found] == ["erythroblast", "neutrophil"]
    assert found[0].value == pytest.approx(10)
    assert found[1].sentence.startswith("neutropenia?: neutrophil 15.0 %")


def test_a_flag_is_sure_when_all_of_the_interval_is_beyond() -> None:
    sure, not_sure = flags(
        COUNT, (FlagRule("neutrophil", "below", 40), FlagRule("neutrophil", "below", 16))
    )
    assert sure.sure and not not_sure.sure
    assert sure.sentence.endswith("is below 40")
    assert not_sure.sentence.endswith("is possibly below 16")


def test_the_limit_itself_is_not_beyond_it() -> None:
    assert flags(COUNT, (FlagRule("erythroblast", "above", 10),)) == ()
    assert flags(COUNT, (FlagRule("neutrophil", "below", 15),)) == ()


def test_a_value_is_not_written_as_the_limit() -> None:
    count = Differential.of({"neutrophil": 961, "erythroblast": 10})
    [flag] = flags(count, (FlagRule("erythroblast", "above", 1),))
    assert flag.sentence.startswith("erythroblast 1.04 per 100 leucocytes")


def test_a_count_without_leucocytes_raises_no_flag() -> None:
    count = Differential.of({"erythroblast": 5})
    assert flags(count, (FlagRule("erythroblast", "above", 1),)) == ()


def test_rules_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(
        '[[flag]]\nclass = "erythroblast"\nabove = 1\n'
        '[[flag]]\nclass = "neutrophil"\nbelow = 40.5\nmessage = "look"\n'
    )
    assert read_flag_rules(file) == (
        FlagRule("erythroblast", "above", 1.0),
        FlagRule("neutrophil", "below", 40.5, "look"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "flag = 3",
        "flag = [3]",
        "other = 1",
        "[[flag]]\nabove = 1",
        '[[flag]]\nclass = "a"',
        '[[flag]]\nclass = "a"\nabove = 1\nbelow = 2',
        '[[flag]]\nclass = "a"\nabove = true',
        '[[flag]]\nclass = "a"\nabove = nan',
        '[[flag]]\nclass = "a"\nabove = "1"',
        '[[flag]]\nclass = "a"\nabove = 1\ncolour = "red"',
        "[[flag]\n",
    ],
)
def test_rules_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "flags.toml"
    file.write_text(text)
    with pytest.raises(TableError) as refused:
        read_flag_rules(file)
    assert str(file) in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError):
        read_flag_rules(tmp_path / "flags.toml")
