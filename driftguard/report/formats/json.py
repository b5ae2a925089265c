"""The document of ``scan --output json``, with every in-sync resource and every verdict."""

from __future__ import annotations

import orjson

from driftguard.model import Report
from driftguard.report.document import (
    drift_document,
    evaluation_document,
    plain,
    scan_document,
    stack_document,
)
from driftguard.report.options import Options

MEDIA_TYPE = "application/json"
SUFFIX = ".json"


def render(report: Report, options: Options) -> str:
    """``report`` as one JSON document."""
    document = scan_document(report)
    document["drifts"] = [drift_document(drift) for drift in report.drifts]
    document["evaluations"] = [evaluation_document(evaluation) for evaluation in report.evaluations]
    document["stacks"] = [stack_document(stack) for stack in report.stacks]
    return orjson.dumps(plain(document), option=orjson.OPT_INDENT_2, default=str).decode() + "\n"
