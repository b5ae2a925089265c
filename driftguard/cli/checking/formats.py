"""The answers of `driftguard check` for people and for pipelines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from driftguard import __version__
from driftguard.cli.checking.judge import SKIP, Answer, Result, as_json, remark_as_json
from driftguard.cli.checking.soundness import Remark
from driftguard.model import Severity
from driftguard.report import junit as junit_xml
from driftguard.report.junit import Case

_FAULT = "NON_COMPLIANT"
_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
_RANK = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "3.0"}


def json_document(answer: Answer) -> dict[str, Any]:
    """The contract's JSON document."""
    return {
        "results": [as_json(result) for result in answer.results],
        "errors": answer.errors,
        "remarks": [remark_as_json(remark) for remark in answer.remarks],
        "summary": answer.summary(),
    }


def text_lines(answer: Answer) -> list[str]:
    """One line for each fault, then what could not be told, then the counts."""
    lines: dict[str, list[str]] = {}
    for result in sorted(answer.results, key=lambda one: (one.template, one.line or 0, one.severity.rank)):
        if result.status in (_FAULT, "INSUFFICIENT_DATA"):
            word = result.severity.value if result.status == _FAULT else "NOT CHECKED"
            line = f"{_place(result)}: {word} {result.policy} {result.logical_id}: {result.message}"
            lines.setdefault(line, []).append(result.environment)
    return [*_with_environments(lines), *_ending(answer)]


def _with_environments(lines: dict[str, list[str]]) -> list[str]:
    """Each line once, with the environments in which it holds where there is more than one."""
    every = {name for names in lines.values() for name in names}
    return [f"{line} ({', '.join(names)})" if len(every) > 1 else line for line, names in lines.items()]


def _ending(answer: Answer) -> list[str]:
    lines = [
        f"{_place(one)}: {one.kind.level} {one.kind.value} {one.logical_id}: {one.message}"
        for one in answer.remarks
    ]
    lines += [f"ERROR {error}" for error in answer.errors]
    counts = ", ".join(f"{number} {status}" for status, number in answer.summary().items() if number)
    found = f"{answer.templates} template{'' if answer.templates == 1 else 's'}"
    others = f" ({answer.skipped_files} other files are none)" if answer.skipped_files else ""
    lines.append(f"{found}{others}: {counts or 'nothing to judge'}{_left(answer)}")
    return lines


def _left(answer: Answer) -> str:
    """That a template holds what cannot be judged, for whoever reads the counts alone."""
    warnings = sum(one.kind.level == "WARNING" for one in answer.remarks)
    if not warnings:
        return ""
    count = f"{warnings} warning{'' if warnings == 1 else 's'}"
    return f"; {count}" if answer.complete else f"; NOT ALL WAS JUDGED ({count})"


def _place(result: Result | Remark) -> str:
    return f"{result.template}:{result.line}" if result.line else result.template


def sarif(answer: Answer) -> dict[str, Any]:
    """SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    faults = [one for one in answer.results if one.status in (_FAULT, "WAIVED")]
    rules = {one.policy: one for one in faults}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "driftguard",
                        "version": __version__,
                        "rules": [
                            {
                                "id": name,
                                "shortDescription": {"text": one.title or name},
                                "defaultConfiguration": {"level": _LEVEL.get(one.severity, "note")},
                                "properties": {"security-severity": _RANK.get(one.severity, "1.0")},
                            }
                            for name, one in sorted(rules.items())
                        ],
                    }
                },
                "results": [_sarif_result(one) for one in faults],
                "invocations": [
                    {
                        "executionSuccessful": not answer.errors and answer.complete,
                        "toolExecutionNotifications": [
                            *({"level": "error", "message": {"text": error}} for error in answer.errors),
                            *(_notification(remark) for remark in answer.remarks),
                        ],
                    }
                ],
            }
        ],
    }


def _notification(remark: Remark) -> dict[str, Any]:
    """A remark is no verdict of a policy but says what the run could not judge."""
    return {
        "level": remark.kind.level.lower(),
        "descriptor": {"id": remark.kind.value},
        "message": {"text": f"{remark.logical_id}: {remark.message}"},
        "locations": [{"physicalLocation": _physical(remark)}],
    }


def _physical(result: Result | Remark) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": result.template.replace("\\", "/")}}
    if result.line:
        location["region"] = {"startLine": result.line}
    return location


def _sarif_result(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": result.policy,
        "level": _LEVEL.get(result.severity, "note"),
        "message": {"text": f"{result.logical_id}: {result.message}"},
        "locations": [
            {
                "physicalLocation": _physical(result),
                "logicalLocations": [{"name": result.logical_id, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"driftguard/v1": f"{result.template}|{result.logical_id}|{result.policy}"},
    }
    if result.status == "WAIVED":
        found["suppressions"] = [{"kind": "inSource", "justification": result.message}]
    return found


def junit(answer: Answer) -> str:
    """JUnit XML: a suite for each template, a case for each policy and resource."""
    results = (_case(result) for result in answer.results)
    errors = (
        Case(suite="errors", classname="driftguard", name="reads the input", error=error)
        for error in answer.errors
    )
    remarks = (_remark_case(remark) for remark in answer.remarks)
    return junit_xml.document("driftguard check", (*results, *remarks, *errors))


def _remark_case(remark: Remark) -> Case:
    """A case in error where something was left unjudged, and one that was skipped otherwise."""
    found = Case(
        suite=remark.template,
        classname=remark.resource_type or "driftguard",
        name=f"{remark.kind.value} {remark.logical_id} {remark.path}",
    )
    text = f"{remark.message} ({_place(remark)})"
    return replace(found, error=text) if remark.kind.prevents else replace(found, skipped=text)


def _case(result: Result) -> Case:
    environment = f" [{result.environment}]" if result.environment else ""
    found = Case(
        suite=result.template,
        classname=result.resource_type,
        name=f"{result.policy} {result.logical_id}{environment}",
    )
    if result.status == _FAULT:
        # The published schema has no place for file and line but the text.
        text = f"{result.message}\n{_place(result)} {result.path}".rstrip()
        return replace(found, failure=text, kind=result.severity.value)
    if result.status != "COMPLIANT":
        return replace(found, skipped=result.message or result.status)
    return found


__all__ = ["SKIP", "json_document", "junit", "sarif", "text_lines"]
