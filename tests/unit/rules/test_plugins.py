"""Python policies: only from installed packages, only where it is allowed, and never in the way of others."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.model import Resource, ResourceKey, Source, Unknown
from driftguard.rules.catalogue import Catalogue
from driftguard.rules.shipped import load_all

CODE = """
from driftguard.model import Severity
from driftguard.rules.plugins import PythonPolicy


def palindrome(properties, resource):
    name = properties["QueueName"]
    return name == name[::-1]


def named(properties, resource):
    return "QueueName" in properties


POLICY = PythonPolicy(
    id="PALINDROME", title="Queues are palindromes", severity=Severity.LOW, resource_types=("AWS::SQS::Queue",),
    reads=("QueueName",), judge=palindrome, applies=named, message="It is none.", source="https://example.com",
)
RAISES = [PythonPolicy(
    id="RAISES", title="It raises", severity=Severity.LOW, resource_types=("AWS::SQS::Queue",), reads=(),
    judge=lambda properties, resource: 1 / 0, message="It is none.", source="https://example.com",
)]
TWICE = PythonPolicy(
    id="SNS_ENCRYPTED_KMS", title="Taken", severity=Severity.LOW, resource_types=("AWS::SNS::Topic",), reads=(),
    judge=palindrome, message="It is none.", source="https://example.com",
)
"""
POINTS = """\
[driftguard.policies]
a = our_queue_policies:POLICY
b = our_queue_policies:RAISES
c = our_queue_policies:TWICE
d = our_queue_policies:NOTHING
e = no_such_module:POLICY
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A small distribution on the path, as an installer leaves one."""
    (tmp_path / "our_queue_policies.py").write_text(CODE, encoding="utf-8")
    info = tmp_path / "our_queue_policies-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: our-queue-policies\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("our_queue_policies", None)


def verdicts(catalogue: Catalogue, properties: dict[str, object]) -> dict[str, tuple[str, str]]:
    key = ResourceKey(account="1" * 12, region="eu-west-1", type="AWS::SQS::Queue", identifier="q")
    source = (
        Source.TEMPLATE if any(isinstance(one, Unknown) for one in properties.values()) else Source.CONFIG
    )
    queue = Resource(key=key, properties=properties, source=source)
    found = catalogue.evaluate(queue)
    return {one.policy: (one.compliance.value, one.message) for one in found}


def test_nothing_is_imported_unless_it_is_allowed(installed: None) -> None:
    assert load_all().get("PALINDROME") is None
    assert "our_queue_policies" not in sys.modules


def test_a_plugin_judges_like_any_policy(installed: None) -> None:
    catalogue = load_all(plugins=True)
    assert verdicts(catalogue, {"QueueName": "level"})["PALINDROME"] == ("COMPLIANT", "")
    assert verdicts(catalogue, {"QueueName": "orders"})["PALINDROME"] == ("NON_COMPLIANT", "It is none.")
    assert verdicts(catalogue, {})["PALINDROME"][0] == "NOT_APPLICABLE"
    unknown = verdicts(catalogue, {"QueueName": Unknown("a parameter")})
    assert unknown["PALINDROME"] == ("INSUFFICIENT_DATA", "Cannot be told: a parameter.")


def test_a_plugin_that_raises_or_does_not_load_is_in_nobodys_way(installed: None) -> None:
    catalogue = load_all(plugins=True)
    said, message = verdicts(catalogue, {"QueueName": "level"})["RAISES"]
    assert said == "INSUFFICIENT_DATA"
    assert "ZeroDivisionError" in message
    errors = [str(error) for error in catalogue.errors]
    assert len(errors) == 3
    assert any(
        "plug-in our-queue-policies:c" in one and "SNS_ENCRYPTED_KMS is taken" in one for one in errors
    )
    assert any("plug-in our-queue-policies:d" in one and "AttributeError" in one for one in errors)
    assert any("plug-in our-queue-policies:e" in one and "ModuleNotFoundError" in one for one in errors)
