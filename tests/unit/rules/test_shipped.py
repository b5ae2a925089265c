"""The policies and frameworks that ship: every case holds, every one has examples, source and framework."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from driftguard.rules.facts import account_schema
from driftguard.rules.frameworks import Frameworks
from driftguard.rules.judge import judge, prepare
from driftguard.rules.packs import managed_rules
from driftguard.rules.policy import Policy, Variant, places
from driftguard.rules.reference import reference_page
from driftguard.rules.selftest import lacking, run_cases, setting
from driftguard.rules.shipped import all_frameworks, load_all

CATALOGUE = load_all()
FRAMEWORKS: Frameworks = all_frameworks()


def test_every_file_loads() -> None:
    assert [str(error) for error in CATALOGUE.errors] == []
    assert [str(error) for error in FRAMEWORKS.errors] == []
    assert len(CATALOGUE.policies) >= 220


@pytest.mark.parametrize("policy", CATALOGUE.policies, ids=lambda policy: policy.id)
def test_the_policy_keeps_its_promises(policy: Policy) -> None:
    wrong = [f"{one.case}: {one.actual} {one.message}" for one in run_cases(policy) if not one.passed]
    assert wrong == []
    assert lacking(policy) == ()
    assert policy.custom or policy.frameworks, "name a framework, or write `frameworks: custom`"
    assert policy.message.endswith("."), "a message is a sentence"
    for name in places(policy.message):
        assert name in policy.parameters, f"the message names a parameter {name} that there is not"


@pytest.mark.parametrize("policy", CATALOGUE.policies, ids=lambda policy: policy.id)
def test_the_policy_speaks_korean_as_well(policy: Policy) -> None:
    assert re.search("[가-힣]", policy.title_ko)
    assert re.search("[가-힣]", policy.message_ko)
    assert re.search(r"(니다|세요)(\(.+\))?\.$|니다: \{\w+\}\.$", policy.message_ko), (
        "a message is a polite sentence"
    )
    assert bool(policy.description) == bool(re.search("[가-힣]", policy.description_ko))
    assert sorted(places(policy.message_ko)) == sorted(places(policy.message))
    bare = re.findall(r"\}(?:은|는|이|가|을|를|과|와|으로|로)(?![가-힣])", policy.message_ko)
    assert bare == [], "no particle fits every value: write {name} 값이, or ({name})"


@pytest.mark.parametrize("policy", CATALOGUE.policies, ids=lambda policy: policy.id)
def test_both_compiled_forms_agree_where_nothing_is_unknown(policy: Policy) -> None:
    for case in policy.cases:
        variant = Variant(policy, policy.values(case.parameters), policy.severity)
        prepared = prepare(*setting(policy, case))
        if not prepared.holes and not variant.missing:
            assert judge(variant, prepared) == judge(variant, replace(prepared, holes=True)), case.name


@pytest.mark.parametrize("policy", CATALOGUE.policies, ids=lambda policy: policy.id)
def test_its_file_is_where_one_looks_for_it(policy: Policy) -> None:
    file = policy.where.file
    service = policy.resource_types[0].partition("::")[2].partition("::")[0].lower() or "account"
    expected = "any" if policy.resource_types[0] == "*" else service
    assert file.endswith(f"/{expected}/{policy.id.lower()}.yaml")


def test_frameworks_name_policies_that_exist() -> None:
    known = {name for policy in CATALOGUE.policies for name in (policy.id, *policy.aliases)} | managed_rules()
    strangers = {name for one in FRAMEWORKS.frameworks for name in one.policies} - known
    assert strangers == set()


def test_the_korean_frameworks_are_complete_and_korean() -> None:
    for name, controls in (("ISMS-P", 101), ("K-ISMS", 80)):
        framework = FRAMEWORKS.get(name)
        assert framework is not None
        assert len(framework.controls) == controls
        assert all(re.search("[가-힣]", control.title_ko) and control.title for control in framework.controls)


def test_every_control_with_a_title_has_a_korean_one() -> None:
    without = [
        f"{framework.id} {control.id}"
        for framework in FRAMEWORKS.frameworks
        for control in framework.controls
        if control.title and not re.search("[가-힣]", control.title_ko)
    ]
    assert without == []


def test_account_facts_name_the_calls_that_give_them() -> None:
    for fact in account_schema().facts.values():
        assert fact.description.endswith(".")
        assert fact.calls
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Z]\w+", call) for call in fact.calls)
        assert fact.scope in ("account", "region")


def test_the_reference_page_lists_every_policy() -> None:
    page = reference_page()
    assert all(f"### {policy.id}\n" in page for policy in CATALOGUE.policies)
