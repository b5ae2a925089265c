"""The facts of an account, read out of answers that AWS's own service models accept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import validate_parameters

from driftguard.aws import Place
from driftguard.errors import AccessDeniedError, AwsError
from driftguard.live import account, account_facts
from driftguard.rules.facts import account_schema, facts_of
from driftguard.rules.shipped import load_all

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/live/account_facts.yaml").read_text("utf-8"))
ACCOUNT = "111111111111"
_SESSION = botocore.session.Session()
_SESSION.set_credentials("AKIAEXAMPLE", "secret")


class Answers:
    """Clients of botocore that check parameters and answers on the service model, and call nobody."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = {
            name: list(value) if isinstance(value, list) else [value] for name, value in answers.items()
        }
        self.calls: set[str] = set()
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        if service not in self._clients:
            made = _SESSION.create_client(service, region_name="us-east-1")
            made.meta.events.register("before-call.*.*", self._answer)
            self._clients[service] = made
        return self._clients[service]

    def _answer(self, model: Any, **_: Any) -> Any:
        self.calls.add(f"{model.service_model.service_name}:{model.name}")
        queue = self.answers[model.name]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if "Error" in answer:
            return SimpleNamespace(status_code=400), {**answer, "ResponseMetadata": {}}
        assert model.output_shape is not None
        validate_parameters(answer, model.output_shape)
        return SimpleNamespace(status_code=200), answer


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)


def place_of(answers: Answers) -> Place:
    return Place(answers.client, ACCOUNT, "us-east-1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_fact_has_the_form_that_policies_know(case: dict[str, Any]) -> None:
    answers = Answers(case["answers"])
    assert account.FACTS[case["fact"]](place_of(answers)) == case["expect"]
    assert list(_misfits(case["expect"], account_schema().root.child(case["fact"]), case["fact"])) == []
    assert answers.calls <= set(account_schema().facts[case["fact"]].calls)


def _misfits(value: Any, node: Any, path: str) -> Iterator[str]:
    kinds: dict[str, Any] = {
        "string": str,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
        "array": list,
        "map": dict,
    }
    if value is None:
        return
    if node is None:
        yield f"{path} is not described"
    elif isinstance(value, dict) and not node.free_form:
        for name, item in value.items():
            yield from _misfits(item, node.child(name), f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _misfits(item, node.items, f"{path}[]")
    elif not any(node.is_a(name) and isinstance(value, kind) for name, kind in kinds.items()):
        yield f"{path} has another type"


def test_every_fact_that_is_described_is_read_and_tried() -> None:
    assert set(account.FACTS) == set(account_schema().facts)
    assert set(account.FACTS) - set(account.BASIC) == {case["fact"] for case in CASES} - set(account.BASIC)
    for name, fact in account_schema().facts.items():
        assert (fact.scope == "region") == (name in account.REGIONAL), name


def test_every_call_that_a_fact_names_is_made_by_its_cases() -> None:
    made: dict[str, set[str]] = {}
    for case in CASES:
        answers = Answers(case["answers"])
        account.FACTS[case["fact"]](place_of(answers))
        made.setdefault(case["fact"], set()).update(answers.calls)
    named = {name: set(fact.calls) for name, fact in account_schema().facts.items() if name in made}
    assert made == named


def test_the_policies_say_which_facts_they_need() -> None:
    catalogue = load_all()
    assert facts_of(catalogue.select(include=["EC2_STOPPED_INSTANCE"], only=()).policies) == {
        "StoppedInstances"
    }
    assert facts_of(catalogue.select(include=["SECURITYHUB_ENABLED"], only=()).policies) == {"SecurityHub"}
    assert facts_of(catalogue.policies) <= set(account.FACTS)


def test_a_report_that_is_never_written_is_a_fault() -> None:
    answers = Answers({"GenerateCredentialReport": {"State": "INPROGRESS"}})
    with pytest.raises(AwsError, match="credential report"):
        account_facts.credential_report(place_of(answers))


def test_a_denied_macie_is_not_taken_for_one_that_is_off() -> None:
    denied = {
        "Error": {
            "Code": "AccessDeniedException",
            "Message": "User is not authorized to perform: macie2:GetMacieSession",
        }
    }
    with pytest.raises(AccessDeniedError):
        account_facts.macie(place_of(Answers({"GetMacieSession": denied})))


def test_only_the_facts_that_are_asked_for_are_read() -> None:
    answers = Answers({"GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": True}})
    (found,) = account.read_account(place_of(answers), ["EbsEncryptionByDefault"])
    assert getattr(found, "properties", None) == {"EbsEncryptionByDefault": True}
    assert answers.calls == {"ec2:GetEbsEncryptionByDefault"}
