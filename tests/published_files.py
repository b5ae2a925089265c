"""Files that others publish, for the tests: `scripts/install-test-servers` brings them from npm and PyPI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).parents[1]
AXE_CORE = ROOT / "node_modules/axe-core/axe.min.js"
SARIF = ROOT / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
JUNIT = ROOT / ".published/junit-10.xsd"
COMPOSE = ROOT / ".published/compose-spec.json"
KUBERNETES = (ROOT / ".published/kubernetes-1.27.json", ROOT / ".published/kubernetes-1.37.json")
HELM = ROOT / ".published/helm"


def there(path: Path) -> Path:
    """A published file; on CI a missing one is a failure, elsewhere a loud skip."""
    if not path.exists():
        message = f"{path.relative_to(ROOT)} is needed: scripts/install-test-servers fetches it"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return path


def published(path: Path) -> str:
    """The text of a published file."""
    return there(path).read_text(encoding="utf-8")


def junit_faults(text: str) -> list[str]:
    """What Jenkins' schema, the one that build servers go by, finds wrong with a JUnit document."""
    schema = etree.XMLSchema(etree.fromstring(published(JUNIT).encode()))
    schema.validate(etree.fromstring(text.encode()))
    return [f"line {fault.line}: {fault.message}" for fault in schema.error_log]
