"""What a caller of some accounts learns of the others: nothing, neither by plans nor by search nor by a repeated request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from driftguard.model.remediation import Refusal
from driftguard.service.access.tokens import create_token
from tests.history_values import ACCOUNT, key, report, resource, snapshot
from tests.service_values import OTHER, House, house, plan_of


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def _left(home: House, *, steps: bool) -> str:
    """A plan that leaves a finding of `ACCOUNT` alone, and has a step in the other account or none."""
    found = home.finding()
    refusal = Refusal(
        finding=found.fingerprint,
        title=found.title,
        place=f"archive, account {ACCOUNT}",
        guard="stateful",
        why="It holds data.",
    )
    hidden = home.store.finding("f" * 32)
    assert hidden is not None
    plan = plan_of([hidden], "lee")
    plan = replace(plan, id=f"p-left-{steps}", left=(refusal,), steps=plan.steps if steps else ())
    home.store.put_plan(plan)
    return plan.id


@pytest.mark.parametrize("steps", [True, False])
def test_a_plan_that_tells_of_another_account_is_not_there(home: House, steps: bool) -> None:
    plan = _left(home, steps=steps)
    client = home.machine("read", "approve", accounts=[OTHER])
    assert client.get(f"/api/v1/plans/{plan}").status_code == 404
    assert client.get("/api/v1/plans").json()["items"] == []
    body = {"digest": "d" * 64, "reason": "looks fine"}
    assert client.post(f"/api/v1/plans/{plan}/approvals", json=body).status_code == 404
    both = home.machine("read", accounts=[OTHER, ACCOUNT])
    assert both.get(f"/api/v1/plans/{plan}").status_code == 200


def test_nobody_approves_a_plan_without_steps(home: House) -> None:
    plan = _left(home, steps=False)
    client = home.machine("read", "approve")
    body = {"digest": "d" * 64, "reason": "looks fine"}
    for deed in ("approvals", "executions"):
        given = body if deed == "approvals" else {"digest": "d" * 64}
        answer = client.post(f"/api/v1/plans/{plan}/{deed}", json=given)
        assert answer.status_code == 409 and "no steps" in answer.json()["detail"]
    text = home.person("approver").get(f"/plans/{plan}?lang=en").text
    assert f"/plans/{plan}/approve" not in text and "Waits for approval" not in text
    assert "Waits for approval" not in home.person("approver").get("/plans?lang=en").text


def test_a_name_in_another_account_does_not_end_the_search(home: House) -> None:
    """`archive` is a whole name in an account that the caller does not read, and a part of one that it does."""
    near = [resource(name, key=key(name, account=OTHER)) for name in ("archive-2", "archive-3")]
    home.store.record(report(1), snapshot(1, *near))
    client = home.person("viewer", accounts=[OTHER])
    text = client.get("/search?q=archive").text
    assert ">archive-2<" in text and ">archive-3<" in text
    assert ">archive<" not in text
    assert ">archive<" not in client.get(f"/search?q={ACCOUNT}/us-east-1/AWS::S3::Bucket/archive").text


def test_tokens_of_one_name_do_not_hear_each_others_answers(home: House) -> None:
    body = {"finding": home.finding().fingerprint, "owner": "kim", "reason": "known"}
    same = {"idempotency-key": "zz"}
    first = home.machine("read", "decide", accounts=[ACCOUNT])
    assert first.post("/api/v1/waivers", json=body, headers=same).status_code == 201
    stranger = home.machine("read", "decide", accounts=[OTHER])
    assert stranger.post("/api/v1/waivers", json=body, headers=same).status_code == 404
    again = home.machine("read", "decide", accounts=[ACCOUNT])
    again.headers["authorization"] = (
        f"Bearer {create_token(home.store, name='ci', scopes=['read'], accounts=[ACCOUNT], actor='test')}"
    )
    assert again.post("/api/v1/waivers", json=body, headers=same).status_code == 403
    assert len(home.store.waivers()) == 1


def test_whoever_may_not_any_more_hears_no_answer_again(home: House) -> None:
    """The token keeps its id, and loses its scope."""
    client = home.machine("read", "decide")
    body = {"finding": home.finding().fingerprint, "owner": "kim", "reason": "known"}
    same = {"idempotency-key": "zz"}
    assert client.post("/api/v1/waivers", json=body, headers=same).status_code == 201
    document = next(one for one in home.store.documents("token"))
    home.store.put_document(
        "token", document.name, {**document.value, "scopes": ["read"]}, expires_at=document.expires_at
    )
    assert client.post("/api/v1/waivers", json=body, headers=same).status_code == 403
