"""A plan is English text; a Korean page tells every sentence that the code, a remedy or a policy has for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import driftguard.history.faults
import driftguard.remediation
from driftguard.errors import PolicyError
from driftguard.model import FindingKind
from driftguard.model.remediation import Change, Refusal
from driftguard.remediation import Remedies, load_remedies
from driftguard.remediation.remedies import Remedy, sentence
from driftguard.report.messages import messages
from driftguard.rules.packaged import packaged_policies
from driftguard.rules.shipped import load_all
from driftguard.service.web import plan_words
from driftguard.service.web.plan_words import teller
from tests.history_values import finding
from tests.service_values import House, house, plan_of

REMEDIES = load_remedies([packaged_policies() / "remediations"])
POLICIES = [policy.summary() for policy in load_all().policies]
TELL = teller(messages("ko"), lambda: REMEDIES, POLICIES)
ROOM = Path(driftguard.remediation.__file__).parent
FORMS: dict[str, str] = yaml.safe_load(
    (Path(plan_words.__file__).parent / "locale/plans.ko.yaml").read_text(encoding="utf-8")
)
HANGUL = re.compile("[가-힣]")


def _text(node: ast.expr) -> str | None:
    """The text of a literal, ``~`` for each value in it."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "~" for part in node.values)
    return None


def _said() -> Iterator[tuple[str, str]]:
    """(where, sentence) of every reason that the code gives for leaving a finding to a person."""
    for file in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            given: ast.expr | None = None
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Impossible", "NotFitting"):
                given = node.args[0]
            elif isinstance(node, ast.Return) and file.name in ("planning.py", "common.py", "cures.py"):
                given = node.value
                if isinstance(given, ast.Tuple):
                    given = given.elts[-1]
            text = _text(given) if given is not None else None
            if text and text.rstrip(".~") and " " in text:
                # A sentence before it, and what may stand within it, are tried for themselves.
                yield f"{file.name}:{node.lineno}", re.sub(r"^~ (?=[A-Z])|(?<=week)~", "", text)


SAID = dict(_said())


@pytest.mark.parametrize("place", SAID)
def test_every_reason_of_the_code_has_korean(place: str) -> None:
    text = SAID[place].replace("~", "v-1")
    assert HANGUL.search(str(TELL(text))), text
    assert HANGUL.search(str(TELL(sentence(text)))), text


def test_the_reasons_were_found() -> None:
    assert len(SAID) > 40


def test_every_form_is_what_the_code_says() -> None:
    files = [*ROOM.rglob("*.py"), Path(driftguard.history.faults.__file__)]
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    code = "\n".join(text for tree in trees for node in ast.walk(tree) if (text := _text(node)))
    code += code.replace("week~", "week")  # who did it is said where it is known
    for form, korean in FORMS.items():
        for piece in re.split(r"\{\w+\}", form):
            assert piece.strip(" ,.;)") in code or len(piece.strip()) < 4, (form, piece)
        assert HANGUL.search(korean)
        assert set(re.findall(r"\{\w+\}", korean)) == set(re.findall(r"\{\w+\}", form)), form


@pytest.mark.parametrize("remedy", REMEDIES.remedies, ids=lambda remedy: remedy.id)
def test_every_remedy_speaks_korean_as_well(remedy: Remedy) -> None:
    for name in ("title", "why_safe", "disruption", "when_not", "effect"):
        text = getattr(remedy, name)
        assert not text or HANGUL.search(remedy.ko[name]), name
    assert set(remedy.ko.get("inputs", {})) == set(remedy.inputs)


def test_sentences_stand_behind_one_another_and_values_are_told() -> None:
    remedy = next(one for one in REMEDIES.remedies if one.id == "imdsv2")
    safe = f"{remedy.why_safe} Mind: {remedy.disruption}"
    assert TELL(safe) == f"{remedy.ko['why_safe']} 주의: {remedy.ko['disruption']}"
    needs = "It needs AccessLogBucket (the bucket that takes access logs); set `remediation.inputs.AccessLogBucket`."
    assert "(액세스 로그를 저장할 버킷)" in str(TELL(needs))
    assert TELL("A HIGH change weakens protection, and the template is the agreed state.") == (
        "높음 등급의 변경이 보호 수준을 낮추며, 합의된 상태는 템플릿입니다."
    )
    assert TELL("Nothing that anybody knows.") == "Nothing that anybody knows."
    assert TELL({"a": 1}) == {"a": 1}


def test_a_wrong_remedy_file_does_not_take_the_page_away() -> None:
    def wrong() -> Remedies:
        raise PolicyError("no", fix="x")

    tell = teller(messages("ko"), wrong, POLICIES)
    assert HANGUL.search(str(tell("You asked for this cure.")))


@pytest.fixture
def home(tmp_path: Path) -> House:
    made = house(tmp_path)
    made.services = replace(
        made.services, policies={one.id: one for one in POLICIES}, remedies=lambda: REMEDIES
    )
    made.app.state.services = made.services
    return made


def test_a_korean_page_of_a_plan_says_nothing_of_it_in_english(home: House) -> None:
    policy = next(one for one in POLICIES if one.id == "EIP_ATTACHED")
    remedy = next(one for one in REMEDIES.remedies if one.id == "eip-release")
    fault = finding("archive", policy.id, kind=FindingKind.COMPLIANCE, title=policy.title)
    plan = plan_of([home.finding()], "lee")
    step = replace(
        plan.steps[0],
        title=remedy.title,
        why_safe=f"{remedy.why_safe} Mind: {remedy.disruption}",
        why_this_cure="The policy is not met, and a remedy for it is known.",
        expected=(Change(path="", before="<absent>", after=remedy.effect),),
    )
    left = Refusal(
        finding=fault.fingerprint,
        title=policy.title,
        place="archive, account 111111111111",
        guard="no-remedy",
        why=sentence(remedy.when_not),
    )
    home.store.put_plan(replace(plan, id="p-1", steps=(step,), left=(left,)))
    page = home.person("admin").get("/plans/p-1?lang=ko").text
    told = (remedy.ko[name] for name in ("title", "why_safe", "disruption", "when_not", "effect"))
    assert all(text in page for text in (*told, policy.title_ko, "계정 111111111111"))
    for english in (remedy.title, remedy.why_safe, step.why_this_cure, policy.title, remedy.effect, left.why):
        assert english not in page
    assert remedy.why_safe in home.person("admin").get("/plans/p-1?lang=en").text
