"""The REST API: pages, ETags, problems, and requests that are sent twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftguard.history.port import Query
from driftguard.model.remediation import Execution, ExecutionStatus
from driftguard.service.access.guard import PUBLIC
from driftguard.service.access.tokens import create_token
from driftguard.service.calling import key_id
from driftguard.service.desk import APPLIED
from driftguard.service.settings_view import shown_setting
from driftguard.settings import Settings
from tests.history_values import finding, key, night, report, resource, run, snapshot
from tests.service_values import House, house


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def test_pages_join_to_the_whole_list(home: House) -> None:
    many = tuple(replace(finding(f"b{n}"), opened_run="r1", last_run="r1") for n in range(25))
    home.store.record(report(1, findings=many), snapshot(1, *(resource(f"b{n}") for n in range(25))))
    client, cursor, seen = home.machine("read"), "", []
    total = client.get("/api/v1/findings").json()["total"]
    for _ in range(10):
        page = client.get(f"/api/v1/findings?limit=7{cursor}").json()
        seen += [one["fingerprint"] for one in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"
    assert len(seen) == len(set(seen)) == total == 28


def test_what_the_caller_has_is_not_sent_again(home: House) -> None:
    client = home.machine("read")
    first = client.get("/api/v1/findings")
    again = client.get("/api/v1/findings", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert again.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"
    for known in (f"W/{first.headers['etag']}", "*", f'"x", W/{first.headers["etag"]}'):
        assert client.get("/api/v1/findings", headers={"if-none-match": known}).status_code == 304
    assert client.get("/api/v1/drifts", headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/sign-in", "/api/v1/findings", "/findings"])
def test_a_head_is_a_get_without_a_body(home: House, address: str) -> None:
    client = home.anybody() if address in PUBLIC else home.person("viewer")
    whole, head = client.get(address), client.head(address)
    assert head.status_code == whole.status_code == 200 and head.content == b""
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert home.anybody().head("/api/v1/findings").status_code == 401


def test_the_age_of_the_last_run_is_known_while_another_one_runs(home: House) -> None:
    home.store.begin_run(run(3))
    assert home.anybody().get("/readyz").json()["last_run_age_seconds"] is not None


def test_a_repeated_request_is_done_once(home: House) -> None:
    client = home.machine("read", "decide")
    body = {"finding": home.finding().fingerprint, "owner": "kim", "reason": "known", "days": 3}
    key_ = {"idempotency-key": "night-7"}
    first = client.post("/api/v1/waivers", json=body, headers=key_)
    again = client.post("/api/v1/waivers", json=body, headers=key_)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert len(home.store.waivers()) == 1
    other = client.post("/api/v1/waivers", json={**body, "days": 4}, headers=key_)
    assert other.status_code == 400 and "Idempotency-Key" in other.json()["detail"]
    assert client.post("/api/v1/waivers", json=body).json()["id"] != first.json()["id"]


def test_a_request_that_failed_may_be_tried_again(home: House) -> None:
    client = home.machine("read", "decide")
    body = {"finding": "nobody", "owner": "kim", "reason": "known", "days": 3}
    for _ in range(2):
        assert client.post("/api/v1/waivers", json=body, headers={"idempotency-key": "k"}).status_code == 404


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/findings/none", 404),
        ("/api/v1/findings?cursor=nonsense", 400),
        ("/api/v1/findings?cursor=WyIiLDk5OTk5OTk5OTk5OTk5OTk5OTk5OTksMV0", 400),
        ("/api/v1/findings?order=secret", 400),
        ("/api/v1/findings?limit=0", 422),
        ("/api/v1/findings?limit=451851894359308042240", 422),
        ("/api/v1/audit?cursor=451851894359308042240", 422),
        ("/api/v1/resources/%FF", 400),
        ("/api/v1/resources/x", 400),
        ("/api/v1/findings?q=%00", 400),
        ("/api/v1/nothing", 404),
        ("/api/v1/plans?status=FOO", 422),
        ("/api/v1/plans?account=1", 422),
        ("/api/v1/stacks?severity=HIGH", 422),
        ("/api/v1/drifts?severity=HIGH", 422),
        ("/api/v1/resources?status=NEW", 422),
        ("/api/v1/resources?kind=DRIFT", 422),
        ("/api/v1/runs?account=1", 422),
        ("/api/v1/runs?q=x", 422),
        ("/api/v1/runs?status=FOO", 422),
        ("/api/v1/findings?status=FOO", 422),
        ("/api/v1/findings?severity=WORST", 422),
        ("/api/v1/drifts?status=FOO", 422),
    ],
)
def test_what_makes_no_sense_is_a_problem(home: House, address: str, status: int) -> None:
    answer = home.machine("read", "audit").get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status and answer.json()["detail"]


@pytest.mark.parametrize("bad", ["nul \0 inside", "half \ud800 a sign"])
@pytest.mark.parametrize("name", ["reason", "owner", "ticket"])
def test_what_no_database_keeps_is_refused(home: House, name: str, bad: str) -> None:
    body = {"finding": home.finding().fingerprint, "owner": "kim", "reason": "known", name: bad}
    client = home.machine("read", "decide", "scan")
    sent = {"content": json.dumps(body), "headers": {"content-type": "application/json"}}
    answer = client.post("/api/v1/waivers", **sent)
    assert answer.status_code == 422, answer.text
    assert home.store.waivers() == []
    assert client.post("/api/v1/runs", json={"accounts": ["1\0"]}).status_code == 422


def test_a_list_documents_the_filters_that_it_heeds(home: House) -> None:
    paths = home.app.openapi()["paths"]
    names = {path: {one["name"] for one in paths[f"/api/v1/{path}"]["get"]["parameters"]} for path in _LISTS}
    paging = {"order", "cursor", "limit"}
    assert names == {path: {*fields.split()} | paging for path, fields in _LISTS.items()}
    client = home.machine("read")
    for path, fields in _LISTS.items():
        assert client.get(f"/api/v1/{path}", params={fields.split()[0]: "*"}).status_code == 200, path
    assert client.get("/api/v1/findings?status=open&severity=high&unheard=of").json()["total"] == 2


_LISTS = {
    "findings": "account region type stack severity status kind policy q",
    "drifts": "account region type stack status q",
    "resources": "account region type stack q",
    "stacks": "account region stack status q",
    "evaluations": "account region type stack severity status policy q",
    "plans": "q",
    "runs": "status",
}


def test_a_resource_and_its_past(home: House) -> None:
    home.store.record(
        report(1, run=run(1, finished_at=night(1))), snapshot(1, resource("archive", {"BucketName": "new"}))
    )
    client, address = home.machine("read"), f"/api/v1/resources/{key_id(key('archive'))}"
    assert client.get(address).json()["properties"] == {"BucketName": "new"}
    then = client.get(f"{address}?at=2026-11-01T12:00:00Z").json()
    assert then["properties"] == {"BucketName": "archive"}
    history = client.get(f"{address}/history").json()
    assert [one["kind"] for one in history["items"]] == ["CHANGED", "CREATED"]
    assert history["items"][0]["changes"][0]["path"] == "/BucketName"


def test_every_entry_of_the_log_names_its_actor(home: House) -> None:
    client = home.machine("read", "decide", "audit")
    body = {"finding": home.finding().fingerprint, "owner": "kim", "reason": "known"}
    client.post("/api/v1/waivers", json=body)
    newest = client.get("/api/v1/audit?limit=1").json()["items"][0]
    assert (newest["actor"], newest["action"]) == ("token:ci", "waiver.put")


def test_metrics_tell_the_last_good_night(home: House) -> None:
    text = home.machine("read").get("/metrics").text
    assert (
        f'driftguard_last_success_timestamp_seconds{{schedule="cli"}} {night(0).timestamp() + 180:.6e}'[:60]
        in text
    )
    assert 'driftguard_open_findings{severity="HIGH"} 2.0' in text
    assert home.store.runs(Query()).items[0].id == "r0"


def test_settings_hide_what_is_secret() -> None:
    settings = Settings.model_validate(
        {
            "store": {"url": "postgresql://dg:hunter2@db/dg"},
            "aws": {"external_id": "hunter2", "session_tags": {"team": "sre", "password": "hunter2"}},
            "web": {"oidc": {"client_secret": "hunter2"}},
        }
    )
    shown = [
        shown_setting(name, getattr(section, name))
        for section in (settings.store, settings.aws, settings.web.oidc, settings.web)
        for name in type(section).model_fields
    ]
    assert "hunter2" not in " ".join(shown)
    assert "postgresql://••••••@db/dg" in shown
    assert "{team: sre, password: ••••••}" in shown


def test_a_plan_is_applied_once_and_only_as_it_was_approved(home: House) -> None:
    started: list[tuple[str, str]] = []
    services = replace(home.services, applier=lambda plan, who: started.append((plan.id, who)))
    home.app.state.services = services
    author, other = home.machine("read", "plan"), home.machine("read", "approve")
    plan = author.post("/api/v1/plans", json={"findings": [home.finding().fingerprint]}).json()
    address = f"/api/v1/plans/{plan['id']}"
    assert other.post(f"{address}/executions", json={"digest": plan["digest"]}).status_code == 409
    token = create_token(home.store, name="second", scopes=["read", "approve"], actor="test")
    other.headers["authorization"] = f"Bearer {token}"
    approval = {"digest": plan["digest"], "reason": "looked at it"}
    assert other.post(f"{address}/approvals", json=approval).status_code == 201
    assert other.post(f"{address}/executions", json={"digest": "0" * 64}).status_code == 409
    assert author.post(f"{address}/executions", json={"digest": plan["digest"]}).status_code == 403
    home.app.state.services = replace(services, clock=lambda: datetime.now(UTC) + timedelta(days=1))
    late = other.post(f"{address}/executions", json={"digest": plan["digest"]})
    assert late.status_code == 409 and "expired" in late.json()["detail"]
    home.app.state.services = services
    key = {"idempotency-key": "once"}
    for _ in range(2):
        answer = other.post(f"{address}/executions", json={"digest": plan["digest"]}, headers=key)
        assert answer.status_code == 202, answer.text
    assert started == [(plan["id"], "token:second")]
    done = Execution(plan=plan["id"], step="s0", token="t", status=ExecutionStatus.VERIFIED)
    home.store.put_execution(done)
    home.store.put_document(APPLIED, plan["id"], {"why": "the budget is spent", "run": "r0"})
    again = other.post(f"{address}/executions", json={"digest": plan["digest"]})
    assert again.status_code == 409 and "applied to its end" in again.json()["detail"]
    assert len(started) == 1
    told = other.get(address).json()
    assert (told["stopped"], told["run"]) == ("the budget is spent", "r0")
