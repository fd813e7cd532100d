r"""A result as an HL7 v2.5.1 message, ORU^R01."""

from __future__ import annotations

import hashlib
import math
from datetime import date, datetime

from hemashift.differential.core import Line
from hemashift.differential.json_file import to_json
from hemashift.differential.loinc import LoincTerm, loinc_term, panel
from hemashift.differential.result import Result
from hemashift.differential.wording import counted, limits, method

_ESCAPES = {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "&": "\\T\\", "\n": "\\.br\\"}
_SEX = {"female": "F", "male": "M", "other": "O", "unknown": "U"}
_OBSERVATION_STATUS = {"draft": "P", "final": "F", "amended": "C"}
_UNITS = {"%": "%^percent^UCUM", "per 100 leucocytes": "/100{WBCs}^per 100 leucocytes^UCUM"}
_CONTROL_ID_LENGTH = 20


def to_hl7(result: Result) -> str:
    r"""Return a message in UTF-8, its segments ended by carriage returns.

    Flags of the user's rules are notes (NTE), and become H and L where they are sure. Limits and
    counts stand in notes too, since the reference range (OBX-7) means something else. Without
    anything known of a patient there is no PID segment.

    Examples:
        >>> from hemashift.differential import Differential
        >>> message = to_hl7(Result(Differential.of({"neutrophil": 95, "basophil": 5})))
        >>> [segment[:3] for segment in message.split("\r")][:5]
        ['MSH', 'OBR', 'NTE', 'OBX', 'NTE']
    """
    segments = [_header(result)]
    if result.subject.names_patient:
        segments.append(_patient(result))
    segments.append(_request(result))
    remarks = [method(result), *(flag.sentence for flag in result.flags), result.comment]
    segments += _notes([remark for remark in remarks if remark])
    for number, line in enumerate(result.differential.lines, start=1):
        segments.append(_observation(result, line, number))
        leucocytes = counted(result.differential.leucocytes, "leucocyte")
        among = f"{counted(line.count, 'cell')}, {leucocytes}"
        coverage = f"{100 * result.differential.confidence:g} % limits"
        segments += _notes([f"{among}; {coverage} {limits(line, 2)} {line.unit}"])
    return "".join(segment + "\r" for segment in segments)


def escape(text: str) -> str:
    r"""Write text so that it holds no delimiter of the message.

    Examples:
        >>> print(escape("A&B ^ 5|6"), escape("two\r\nlines"))
        A\T\B \S\ 5\F\6 two\.br\lines
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        _ESCAPES.get(sign)
        or (sign if sign.isprintable() else f"\\X{sign.encode().hex().upper()}\\")
        for sign in text
    )


def _header(result: Result) -> str:
    signature = result.signature
    # The same result has the same id, so that a receiver notices one that is sent twice.
    control = hashlib.sha256(to_json(result).encode()).hexdigest()[:_CONTROL_ID_LENGTH]
    at = _time(signature.at if signature else datetime.now().astimezone())
    sender = escape(result.subject.laboratory)
    return (
        f"MSH|^~\\&|hemashift|{sender}|||{at}||ORU^R01^ORU_R01|{control}|P|2.5.1||||||UNICODE UTF-8"
    )


def _patient(result: Result) -> str:
    subject = result.subject
    # Both fields are required: "" says that the identifier is not known, type U the name.
    name = escape(subject.patient_name) or "^^^^^^U"
    birth = subject.birth_date.replace("-", "")
    return (
        f"PID|1||{escape(subject.patient_id) or chr(34) * 2}||{name}||{birth}|"
        f"{_SEX.get(subject.sex, '')}"
    )


def _request(result: Result) -> str:
    subject, signature = result.subject, result.signature
    sample = escape(subject.sample_id)
    taken = _time(subject.collected_at) if subject.collected_at else ""
    at = _time(signature.at) if signature else ""
    fields = {
        1: "1",
        3: sample,
        4: _code(panel()),
        7: taken,
        22: at,
        24: "HM",
        25: _OBSERVATION_STATUS[result.status],
    }
    return _segment("OBR", fields)


def _observation(result: Result, line: Line, number: int) -> str:
    term = loinc_term(line.name)
    known = not math.isnan(line.value)
    raised = [
        flag.rule.direction for flag in result.flags if flag.rule.name == line.name and flag.sure
    ]
    signature = result.signature
    fields = {
        1: str(number),
        2: "NM",
        3: _code(term, line.name),
        5: f"{line.value:.2f}" if known else "",
        6: _UNITS[line.unit],
        8: "H" if "above" in raised else "L" if "below" in raised else "",
        11: _OBSERVATION_STATUS[result.status] if known else "X",
        14: _time(signature.at) if signature else "",
        16: f"^{escape(signature.by)}" if signature else "",
    }
    return _segment("OBX", fields)


def _notes(texts: list[str]) -> list[str]:
    return [f"NTE|{number}|L|{escape(text)}" for number, text in enumerate(texts, start=1)]


def _segment(name: str, fields: dict[int, str]) -> str:
    return name + "".join("|" + fields.get(place, "") for place in range(1, max(fields) + 1))


def _code(term: LoincTerm | None, name: str = "") -> str:
    """Write a coded element; a class without a LOINC code is a local code."""
    if term is None:
        return f"{escape(name)}^{escape(name)}^L"
    local = f"^{escape(name)}^{escape(name)}^L" if name else ""
    return f"{term.code}^{escape(term.name)}^LN{local}"


def _time(at: datetime | date) -> str:
    return at.strftime("%Y%m%d%H%M%S%z" if isinstance(at, datetime) else "%Y%m%d")
