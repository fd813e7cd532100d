"""The FHIR bundle, validated by fhir.resources as R5 and as R4B."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hemashift.differential import Differential, FlagRule, Result, Subject, flags
from hemashift.differential.fhir import to_fhir

Resources = dict[str, list[dict[str, Any]]]


def resources(result: Result) -> Resources:
    found: Resources = {}
    for entry in json.loads(to_fhir(result))["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


@pytest.mark.parametrize("module", ["fhir.resources.bundle", "fhir.resources.R4B.bundle"])
def test_the_bundle_is_valid(module: str, signed: Result, draft: Result) -> None:
    bundle = pytest.importorskip(module).Bundle
    undefined = Result(Differential.of({"neutrophil": 0, "erythroblast": 3}))
    for result in (signed, draft, undefined):
        read = bundle.model_validate_json(to_fhir(result))
        assert len(read.entry) >= 1 + len(result.differential.lines)


def test_values_units_and_codes(signed: Result) -> None:
    observations = {one["code"]["text"]: one for one in resources(signed)["Observation"]}
    basophil = observations["basophil"]
    assert basophil["code"]["coding"][0]["code"] == "707-0"
    assert basophil["valueQuantity"] == {
        "value": 2.5, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%",
    }  # fmt: skip
    limits = [part["valueQuantity"]["value"] for part in basophil["component"][2:]]
    assert limits == [0.82, 5.74]
    assert observations["erythroblast"]["valueQuantity"]["code"] == "/100{WBCs}"
    # A class without a code goes under its own name, and nothing is invented for it.
    assert "coding" not in observations["our & own"]["code"]


def test_flags_are_interpretations(signed: Result) -> None:
    observations = {one["code"]["text"]: one for one in resources(signed)["Observation"]}
    high, low = observations["erythroblast"], observations["neutrophil"]
    assert high["interpretation"][0]["coding"][0]["code"] == "H"
    assert low["interpretation"][0]["coding"][0]["code"] == "L"
    assert "interpretation" not in observations["monocyte"]


def test_a_possible_flag_is_a_note_alone(signed: Result) -> None:
    raised = flags(signed.differential, [FlagRule("monocyte", "above", 4)])
    observations = {
        one["code"]["text"]: one for one in resources(replace(signed, flags=raised))["Observation"]
    }
    assert "interpretation" not in observations["monocyte"]
    assert "possibly above 4" in observations["monocyte"]["note"][0]["text"]


def test_every_reference_leads_into_the_bundle(signed: Result) -> None:
    text = to_fhir(signed)
    bundle = json.loads(text)
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert len(urls) == len(bundle["entry"])
    wanted: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            wanted.update([value["reference"]] if "reference" in value else [])
            for one in value.values():
                collect(one)
        elif isinstance(value, list):
            for one in value:
                collect(one)

    collect(bundle)
    assert wanted and wanted <= urls


def test_nothing_is_invented(draft: Result) -> None:
    assert set(resources(draft)) == {"DiagnosticReport", "Observation"}
    assert resources(draft)["DiagnosticReport"][0]["status"] == "preliminary"


def test_status_and_signer(signed: Result) -> None:
    found = resources(signed)
    assert found["DiagnosticReport"][0]["status"] == "amended"
    assert found["Practitioner"][0]["name"] == [{"text": "Dr. A. B."}]
    assert {one["status"] for one in found["Observation"]} == {"amended"}


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("2024-05-06", "2024-05-06"),
        ("2024-05-06T07:08", "2024-05-06"),  # a time without its zone is none in FHIR
        ("2024-05-06T07:08:00+02:00", "2024-05-06T07:08:00+02:00"),
    ],
)
def test_time_of_collection(given: str, written: str, draft: Result) -> None:
    result = replace(draft, subject=Subject(collected=given))
    assert resources(result)["Specimen"][0]["collection"] == {"collectedDateTime": written}


def test_the_same_result_gives_the_same_bundle(signed: Result) -> None:
    assert to_fhir(signed) == to_fhir(signed)
    assert to_fhir(signed) != to_fhir(replace(signed, comment="other"))
