"""The line that CloudWatch takes for metrics, as its specification asks for it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
import structlog

from driftguard.service import emf, logs
from tests.history_values import finding, night, report, run

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
SCHEMA = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer"},
                "CloudWatchMetrics": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["Namespace", "Dimensions", "Metrics"],
                        "properties": {
                            "Namespace": {"type": "string", "minLength": 1, "maxLength": 1024},
                            "Dimensions": {
                                "type": "array",
                                "minItems": 1,
                                "items": {"type": "array", "maxItems": 30},
                            },
                            "Metrics": {
                                "type": "array",
                                "maxItems": 100,
                                "items": {
                                    "required": ["Name", "Unit"],
                                    "properties": {"Unit": {"enum": ["Count", "Percent", "Seconds"]}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def test_a_run_is_a_line_of_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    fresh = finding("fresh")
    whole = report(0, run=run(0, trigger="schedule:night", finished_at=night(0.01)), findings=(fresh,))
    logs.configure()
    try:
        emf.tell(replace(whole, new=frozenset({fresh.fingerprint})), "driftguard")
        emf.tell(whole, "")
    finally:
        structlog.reset_defaults()
    (text,) = capsys.readouterr().err.splitlines()
    line: dict[str, Any] = json.loads(text)
    jsonschema.validate(line, SCHEMA)
    (about,) = line["_aws"]["CloudWatchMetrics"]
    for metric in about["Metrics"]:
        assert isinstance(line[metric["Name"]], int | float), metric
    assert all(isinstance(line[name], str) for names in about["Dimensions"] for name in names)
    assert (line["OpenFindings"], line["HighFindings"], line["NewFindings"]) == (1, 1, 1)
    assert line["Trigger"] == "schedule:night" and line["Duration"] == 864


def test_who_asked_by_hand_is_no_dimension() -> None:
    asked = report(0, run=run(0, trigger="service:kim@example.com", finished_at=night(0)))
    assert emf.line(asked, "x")["Trigger"] == "service"
