"""No secret passes the door, and what is none is left alone."""

from __future__ import annotations

import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from driftguard.errors import ConfigError
from driftguard.history import open_store
from driftguard.history.codec import encode
from driftguard.history.key import key_path, load_key
from driftguard.history.port import Query, Version
from driftguard.history.redact import Redactor
from driftguard.model import (
    ComplianceType,
    DifferenceType,
    Drift,
    DriftStatus,
    PropertyDifference,
    ResourceKey,
    UndeclaredValue,
)
from driftguard.report import formats, render
from tests.history_values import (
    drift,
    evaluation,
    finding,
    full_report,
    key,
    night,
    report,
    resource,
    snapshot,
)

SECRET = "S3ntinel9xQ7w"
CASES = yaml.safe_load(
    (Path(__file__).parents[2] / "cases/redact/properties.yaml").read_text(encoding="utf-8")
)
KEY = b"k" * 32


def _fill(value: Any, secret: str = SECRET) -> Any:
    return orjson.loads(orjson.dumps(value).decode().replace("SENTINEL", secret))


def _at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


@pytest.mark.parametrize("case", CASES, ids=[case["type"] for case in CASES])
def test_no_sentinel_is_left_and_the_rest_stays(case: dict[str, Any]) -> None:
    properties = _fill(case["properties"])
    clean = Redactor(KEY).properties(case["type"], properties)
    text = orjson.dumps(clean).decode()
    assert SECRET not in text
    assert "redacted" in text
    for pointer, value in case.get("keeps", {}).items():
        assert _at(clean, pointer) == value, pointer
    assert Redactor(KEY).properties(case["type"], clean) == clean, "redacting twice is redacting once"


@pytest.mark.parametrize("case", CASES, ids=[case["type"] for case in CASES])
def test_a_changed_secret_is_a_change_and_an_equal_one_is_not(case: dict[str, Any]) -> None:
    one, same = (Redactor(KEY).properties(case["type"], _fill(case["properties"])) for _ in range(2))
    other = Redactor(KEY).properties(case["type"], _fill(case["properties"], "An0therS3cretZ1"))
    assert one == same and one != other
    assert Redactor(b"x" * 32).properties(case["type"], _fill(case["properties"])) != one


def _leaves(value: Any, pointer: str = "") -> Any:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from _leaves(part, f"{pointer}/{i}")
    yield pointer, value


@pytest.mark.parametrize("case", CASES, ids=[case["type"] for case in CASES])
def test_a_difference_is_as_discreet_as_the_whole_resource(case: dict[str, Any]) -> None:
    """A drift shows one value at its pointer: it has the tag that it has in the resource, or is told in neither."""
    redactor, properties = Redactor(KEY), _fill(case["properties"])
    known = redactor.secrets_in(case["type"], properties)
    for pointer, value in _leaves(properties):
        if pointer:
            shown = redactor.at(case["type"], pointer, value, known)
            assert SECRET not in orjson.dumps(shown).decode(), pointer
    for pointer, value in case.get("keeps", {}).items():
        # What stands beside a name is not to be seen from its pointer, so that a name below a wildcard is hidden.
        if not isinstance(value, dict | list) and not pointer.endswith("/Key"):
            assert redactor.at(case["type"], pointer, value, known) == value, pointer


@pytest.mark.parametrize(
    "properties",
    [
        {"Password": 4242424242},
        {"Input": '{"password": 4242424242}'},
        {"Passwords": [4242424242]},
        {"Secrets": {"db": {"value": 4242424242}}},
        {"Args": ["--password", 4242424242]},
        {"Variables": [{"Name": "PASSWORD", "Value": 4242424242}]},
    ],
)
def test_a_number_that_is_a_secret_is_none_afterwards(properties: dict[str, Any]) -> None:
    clean = Redactor(KEY).properties("AWS::Made::Up", properties)
    assert "4242424242" not in orjson.dumps(clean).decode()
    assert Redactor(KEY).properties("AWS::Made::Up", clean) == clean


def test_a_number_and_its_text_have_one_tag() -> None:
    """Templates say a number where AWS answers a text."""
    redactor = Redactor(KEY)
    assert redactor.properties("", {"Password": 42424242}) == redactor.properties(
        "", {"Password": "42424242"}
    )


def _secret_everywhere() -> tuple[Any, Any]:
    lambda_key = ResourceKey(
        account="1" * 12, region="us-east-1", type="AWS::Lambda::Function", identifier="f"
    )
    path = "/Environment/Variables/TOKEN"
    changed = Drift(
        key=lambda_key,
        status=DriftStatus.MODIFIED,
        stack="shop",
        differences=(
            PropertyDifference(
                path=path, expected=SECRET, actual=SECRET + "2", type=DifferenceType.NOT_EQUAL
            ),
            PropertyDifference(
                path="/Environment",
                expected=None,
                actual={"Variables": {"A": SECRET}},
                type=DifferenceType.ADD,
            ),
        ),
        undeclared=(UndeclaredValue(path=path, value=SECRET, confirmed=True, was=SECRET + "1"),),
        disagreement=f"password={SECRET}",
    )
    base = full_report(0)
    detail = orjson.dumps(
        {"differences": [{"path": path, "expected": SECRET, "actual": SECRET}], "password": SECRET}
    )
    hidden = finding(
        "f", key=lambda_key, detail=detail.decode(), message=f"token={SECRET}", title=f"https://u:{SECRET}@h/"
    )
    spoiled = replace(
        base,
        run=replace(base.run, error=f"Bearer {SECRET}{SECRET}"),
        drifts=(*base.drifts, changed),
        evaluations=(
            *base.evaluations,
            evaluation(
                "a",
                ComplianceType.NON_COMPLIANT,
                message=f"password: {SECRET}",
                parameters={"apiKey": SECRET},
            ),
        ),
        findings=(*base.findings, hidden),
        gaps=(replace(base.gaps[0], detail=f"https://x:{SECRET}@y/"),),
        stacks=(replace(base.stacks[0], native={"x": {"Password": SECRET}}),),
    )
    seen = resource(
        "f", {"Environment": {"Variables": {"A": SECRET}}}, key=lambda_key, tags={"db-password": SECRET}
    )
    return spoiled, snapshot(0, seen)


def test_no_field_of_a_report_carries_a_sentinel_into_store_or_output(tmp_path: Path) -> None:
    spoiled, seen = _secret_everywhere()
    redactor = Redactor(KEY)
    clean = redactor.report(spoiled)
    assert SECRET not in orjson.dumps(encode(clean), default=str).decode()
    for name in formats():
        shown = render(clean, name)
        assert SECRET not in (shown if isinstance(shown, str) else shown.decode("latin-1")), name
    path = tmp_path / "s.db"
    store = open_store(f"sqlite:///{path}", redactor=redactor)
    store.record(spoiled, seen)
    store.put_witnesses(
        {next(iter(seen.resources)): {"Environment": {"Variables": {"A": SECRET}}}}, actor="a", reason="b"
    )
    store.audit("kim", "test", "x", {"password": SECRET})
    state = Version(
        key=key("z"), valid_from=night(1), valid_to=None, state_hash="h", properties={"Password": SECRET}
    )
    store.import_states([state])
    everything = [encode(value) for value in store.resources(Query()).items]
    everything += [encode(store.report()), [encode(entry) for entry in store.audit_entries()]]
    everything += [encode(witness) for witness in store.witnesses(seen.resources).values()]
    assert SECRET not in orjson.dumps(everything).decode()
    store.compact()
    store.close()
    for file in tmp_path.iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_the_state_hash_of_a_secret_is_not_kept() -> None:
    plain = resource("a", {"Password": SECRET}, state_hash="0" * 64)
    clean = Redactor(KEY).resource(plain)
    assert clean.state_hash != plain.state_hash
    harmless = resource("a", {"Size": 3}, state_hash="0" * 64)
    assert Redactor(KEY).resource(harmless) is harmless


def test_drift_keeps_its_paths_and_shows_that_the_value_changed() -> None:
    item = PropertyDifference(
        path="/MasterUserPassword", expected=SECRET, actual="other-One-1", type=DifferenceType.NOT_EQUAL
    )
    clean = Redactor(KEY).drift(drift("db", differences=(item,))).differences[0]
    assert clean.path == item.path and clean.expected != clean.actual
    assert set(clean.expected) == {"$redacted"}


def test_logs_are_redacted() -> None:
    event = {
        "event": f"cannot connect to postgres://a:{SECRET}@h/d",
        "password": SECRET,
        "detail": {"token": SECRET},
        "n": 3,
    }
    clean = Redactor(KEY).redact_event(None, "info", dict(event))
    assert SECRET not in str(clean) and clean["n"] == 3 and clean["event"].startswith("cannot connect")


def test_report_of_a_quiet_run_is_unchanged() -> None:
    quiet = report(0)
    assert Redactor(KEY).report(quiet) == quiet


def test_the_key_is_made_once_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "driftguard.key"
    keys: list[bytes] = []
    threads = [threading.Thread(target=lambda: keys.append(load_key(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1 and len(keys) == 8 and len(keys[0]) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["driftguard.key"]
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        load_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(ConfigError, match="key"):
        load_key(path)


def test_the_key_lies_beside_the_sqlite_file() -> None:
    assert key_path("sqlite:////var/lib/d/x.db") == Path("/var/lib/d/driftguard.key")
    assert key_path("postgresql://h/d") == Path("driftguard.key")
    assert key_path("postgresql://h/d", "/etc/k") == Path("/etc/k")
