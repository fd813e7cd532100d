"""The HL7 v2 message, validated and read back by hl7apy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hemashift.differential import Differential, FlagRule, Result, Subject, flags
from hemashift.differential.hl7 import escape, to_hl7

from .conftest import NAME


def parse(result: Result) -> Any:
    parser = pytest.importorskip("hl7apy.parser")
    from hl7apy.consts import VALIDATION_LEVEL

    return parser.parse_message(to_hl7(result), validation_level=VALIDATION_LEVEL.STRICT)


def segments(result: Result, name: str) -> list[list[str]]:
    lines = to_hl7(result).split("\r")
    return [line.split("|") for line in lines if line.startswith(name + "|")]


def test_the_message_is_valid(signed: Result, draft: Result) -> None:
    for result in (signed, draft):
        message = parse(result)
        assert message.validate()
        assert message.msh.msh_9.value == "ORU^R01^ORU_R01"
        assert message.msh.msh_12.value == "2.5.1"


def test_names_survive_the_delimiters(signed: Result) -> None:
    [patient] = segments(signed, "PID")
    assert patient[5] == "Åsa \\F\\ Жук \\S\\ \\T\\ 李 <b>"
    assert patient[3] == "P\\F\\1"
    assert patient[7:9] == ["19700102", "F"]
    back = {"\\F\\": "|", "\\S\\": "^", "\\T\\": "&", "\\R\\": "~"}
    text = patient[5]
    for escaped, sign in back.items():
        text = text.replace(escaped, sign)
    assert text == NAME


def test_values_codes_units_and_flags(signed: Result) -> None:
    lines = {fields[3].split("^")[-2]: fields for fields in segments(signed, "OBX")}
    basophil = lines["basophil"]
    assert basophil[2:4] == [
        "NM",
        "707-0^Basophils/100 leukocytes in Blood by Manual count^LN^basophil^basophil^L",
    ]
    assert basophil[5:7] == ["2.50", "%^percent^UCUM"]
    assert basophil[7] == ""  # a reference range is something else than confidence limits
    assert lines["erythroblast"][8] == "H" and lines["neutrophil"][8] == "L"
    assert lines["our \\T\\ own"][3] == "our \\T\\ own^our \\T\\ own^L"
    assert [fields[1] for fields in segments(signed, "OBX")] == list("123456")
    assert any("0.82 to 5.74" in fields[3] for fields in segments(signed, "NTE"))


def test_only_a_sure_flag_is_high_or_low(signed: Result) -> None:
    count = signed.differential
    result = replace(signed, flags=flags(count, [FlagRule("monocyte", "above", 4)]))
    assert {fields[8] for fields in segments(result, "OBX")} == {""}
    assert any("is possibly above 4" in fields[3] for fields in segments(result, "NTE"))


def test_one_is_written_as_one() -> None:
    result = Result(Differential.of({"neutrophil": 1, "outside": 1}), copies=1)
    notes = [fields[3] for fields in segments(result, "NTE")]
    assert notes[0].startswith("1 leucocyte counted")
    assert "1 cell or thing that is not reported and 1 copy of another image" in notes[0]
    assert notes[1].startswith("1 cell, 1 leucocyte;")


def test_status(signed: Result, draft: Result) -> None:
    assert {fields[11] for fields in segments(signed, "OBX")} == {"C"}
    assert {fields[11] for fields in segments(draft, "OBX")} == {"P"}
    assert segments(signed, "OBR")[0][25] == "C"


def test_nothing_is_invented(draft: Result) -> None:
    assert segments(draft, "PID") == []
    only_id = replace(draft, subject=Subject(patient_id="7"))
    assert segments(only_id, "PID")[0][3:6] == ["7", "", "^^^^^^U"]
    parse(only_id).validate()


def test_a_day_stays_a_day(draft: Result) -> None:
    result = replace(draft, subject=Subject(collected="2024-05-06"))
    assert segments(result, "OBR")[0][7] == "20240506"


def test_every_segment_is_one_line(signed: Result) -> None:
    message = to_hl7(signed)
    assert message.endswith("\r") and "\n" not in message
    assert all(len(one) > 3 and one[3] == "|" for one in message.rstrip("\r").split("\r"))


def test_escaping() -> None:
    assert escape("a\\b") == "a\\E\\b"
    assert escape("a\r\nb\rc") == "a\\.br\\b\\.br\\c"
    assert escape("bell\x07") == "bell\\X07\\"
