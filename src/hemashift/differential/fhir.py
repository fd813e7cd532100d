"""A result as a FHIR bundle that is valid in R4 and in R5."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from datetime import datetime
from typing import Any

from hemashift.differential.core import Line
from hemashift.differential.json_file import to_json
from hemashift.differential.loinc import LoincTerm, loinc_term, panel
from hemashift.differential.result import Result
from hemashift.differential.wording import method

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_STATUS = {"draft": "preliminary", "final": "final", "amended": "amended"}
_UNITS = {"%": ("%", "%"), "per 100 leucocytes": ("/100 leucocytes", "/100{WBCs}")}
_INTERPRETATION = {"above": ("H", "High"), "below": ("L", "Low")}

Resource = dict[str, Any]


def to_fhir(result: Result) -> str:
    """Return a bundle of type collection: a DiagnosticReport with an Observation a class.

    Patient, Specimen and Practitioner are in it where something is known of them. Percentages
    carry LOINC codes; cells counted and exact limits are components of the observation. Flags are
    notes, and its interpretation where they are sure.

    Examples:
        >>> from hemashift.differential import Differential
        >>> bundle = json.loads(to_fhir(Result(Differential.of({"neutrophil": 100}))))
        >>> [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        ['DiagnosticReport', 'Observation']
    """
    parts = _Parts(result)
    persons = [parts.patient(), parts.specimen(), parts.practitioner()]
    observations = [parts.observation(line) for line in result.differential.lines]
    resources = [parts.report(observations), *filter(None, persons), *observations]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": parts.url(one["id"]), "resource": one} for one in resources],
    }
    if result.signature is not None:
        bundle["timestamp"] = result.signature.at.isoformat(timespec="seconds")
    return json.dumps(bundle, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


class _Parts:
    """The resources of one bundle; their ids follow from the result."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self._seed = hashlib.sha256(to_json(result).encode()).hexdigest()

    def id(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed} {name}"))

    def url(self, identity: str) -> str:
        return f"urn:uuid:{identity}"

    def reference(self, resource: Resource | None) -> Resource | None:
        return None if resource is None else {"reference": self.url(resource["id"])}

    def patient(self) -> Resource | None:
        subject = self.result.subject
        if not subject.names_patient:
            return None
        return _filled(
            resourceType="Patient",
            id=self.id("patient"),
            identifier=subject.patient_id and [{"value": subject.patient_id}],
            name=subject.patient_name and [{"text": subject.patient_name}],
            gender=subject.sex,
            birthDate=subject.birth_date,
        )

    def specimen(self) -> Resource | None:
        subject = self.result.subject
        at = subject.collected_at
        if not subject.sample_id and at is None:
            return None
        # FHIR allows no time without its zone; the day is what is certain then.
        if isinstance(at, datetime) and at.tzinfo is None:
            at = at.date()
        return _filled(
            resourceType="Specimen",
            id=self.id("specimen"),
            identifier=subject.sample_id and [{"value": subject.sample_id}],
            subject=self.reference(self.patient()),
            collection=at and {"collectedDateTime": at.isoformat()},
        )

    def practitioner(self) -> Resource | None:
        signature = self.result.signature
        if signature is None:
            return None
        name = [{"text": signature.by}]
        return {"resourceType": "Practitioner", "id": self.id("practitioner"), "name": name}

    def report(self, observations: list[Resource]) -> Resource:
        result, signature = self.result, self.result.signature
        signer = self.reference(self.practitioner())
        specimen = self.reference(self.specimen())
        sentences = [method(result), *(flag.sentence for flag in result.flags), result.comment]
        return _filled(
            resourceType="DiagnosticReport",
            id=self.id("report"),
            identifier=signature and [{"value": f"{result.project} {signature.version}".strip()}],
            status=_STATUS[result.status],
            category=[_coded(f"{_TERMINOLOGY}/v2-0074", "HM", "Hematology")],
            code=_loinc(panel()),
            subject=self.reference(self.patient()),
            issued=signature and signature.at.isoformat(timespec="seconds"),
            performer=[{"display": result.subject.laboratory}] if result.subject.laboratory else [],
            resultsInterpreter=signer and [signer],
            specimen=specimen and [specimen],
            result=[self.reference(one) for one in observations],
            conclusion="\n".join(filter(None, sentences)),
        )

    def observation(self, line: Line) -> Resource:
        result, signature = self.result, self.result.signature
        signer = self.reference(self.practitioner())
        flags = [flag for flag in result.flags if flag.rule.name == line.name]
        unknown = math.isnan(line.value)
        absent = _coded(f"{_TERMINOLOGY}/data-absent-reason", "not-performed", "Not Performed")
        return _filled(
            resourceType="Observation",
            id=self.id(f"observation {line.name}"),
            status=_STATUS[result.status],
            category=[_coded(f"{_TERMINOLOGY}/observation-category", "laboratory", "Laboratory")],
            code=_loinc(loinc_term(line.name), line.name),
            subject=self.reference(self.patient()),
            issued=signature and signature.at.isoformat(timespec="seconds"),
            performer=signer and [signer],
            valueQuantity=None if unknown else _quantity(line.value, line.unit),
            dataAbsentReason=absent if unknown else None,
            interpretation=[
                _coded(f"{_TERMINOLOGY}/v3-ObservationInterpretation", *_INTERPRETATION[direction])
                for direction in dict.fromkeys(flag.rule.direction for flag in flags if flag.sure)
            ],
            note=[{"text": flag.sentence} for flag in flags],
            specimen=self.reference(self.specimen()),
            device=result.model and {"display": f"{result.model.name} {result.model.hash}"},
            component=self._components(line),
        )

    def _components(self, line: Line) -> list[Resource]:
        count = self.result.differential
        found: list[Resource] = [
            {"code": {"text": "cells counted"}, "valueInteger": line.count},
            {"code": {"text": "leucocytes counted"}, "valueInteger": count.leucocytes},
        ]
        for name, value in (("lower", line.low), ("upper", line.high)):
            if not math.isnan(value):
                text = f"{name} exact {100 * count.confidence:g} % limit"
                quantity = _quantity(value, line.unit)
                found.append({"code": {"text": text}, "valueQuantity": quantity})
        return found


def _filled(**fields: Any) -> Resource:
    """Return a resource without its empty fields, which FHIR forbids."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _coded(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}


def _loinc(term: LoincTerm | None, text: str = "") -> Resource:
    coding = [] if term is None else _coded(LOINC, term.code, term.name)["coding"]
    return _filled(coding=coding, text=text or (term.name if term else ""))


def _quantity(value: float, unit: str) -> Resource:
    name, code = _UNITS[unit]
    return {"value": round(value, 2), "unit": name, "system": UCUM, "code": code}
