"""The JSON schemas of what commands answer, from `driftguard.report.forms`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from driftguard.report.forms import OUTPUTS, Form

FOLDER = "docs/reference/outputs"


def _schema(name: str, form: type[Form]) -> str:
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"driftguard:{name}",
        **form.model_json_schema(mode="serialization"),
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _maker(name: str) -> Callable[[], str]:
    return lambda: _schema(name, OUTPUTS[name])


PAGES: Mapping[str, Callable[[], str]] = {f"{FOLDER}/{name}.schema.json": _maker(name) for name in OUTPUTS}
