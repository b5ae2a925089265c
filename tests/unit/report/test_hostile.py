"""A name or a value that somebody chose in AWS is never markup, and never a command for a terminal."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace

import click
import pytest

from driftguard.cli.tables import table
from driftguard.cli.terminal import guarded
from driftguard.history.causes import group
from driftguard.history.faults import brief
from driftguard.model import FindingKind, Gap, GapReason, Report, ResourceKey, Severity
from driftguard.model.markup import Markdown, cell, code, visible
from driftguard.model.phrase import phrase
from driftguard.model.remediation import ActionKind, Change, Cure, Plan, Refusal, Step
from driftguard.remediation import render as plans
from driftguard.report import render
from tests.history_values import ACCOUNT, difference, drift, finding, key, night, report

IMAGE = "<img src=x onerror=alert(1)>"
ATTACKS = (f"**| {IMAGE} |", f"`| {IMAGE} |`", f"`x` {IMAGE} | y", f"# {IMAGE}", f"```\n{IMAGE}")
HIDING = "a\x1b[2K\x1b[1A\x1b[8mb\x00\x07\x9b2J\r\u202ec"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
RAW = re.compile(r"(?<!\\)<img")


def hostile(text: str) -> Report:
    found = tuple(
        finding(
            name, key=key(name), title=text, message=text, owner=text, stack=text, logical_id=text, **more
        )
        for name, more in (
            ("x", {}),
            ("y", {"severity": Severity.CRITICAL}),
            ("z", {"kind": FindingKind.COMPLIANCE, "subject": "P"}),
            ("z2", {"kind": FindingKind.COMPLIANCE, "subject": "P"}),
        )
    )
    gap = Gap(
        reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="r", detail=text, action=text, stack=text
    )
    changed = (replace(difference(), path=f"/{text}", expected=text, actual=[text]),)
    return report(
        0,
        findings=found,
        causes=group(found),
        new=frozenset(one.fingerprint for one in found),
        drifts=(drift("x", key=key("x"), logical_id=text, stack=text, differences=changed),),
        gaps=(gap, replace(gap, reason=GapReason.THROTTLED)),
        notes=(text,),
        unmatched_templates=(text,),
    )


def outside_code(markdown: str) -> str:
    """Markdown without its spans of code, in which nothing is markup."""
    return re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", markdown)


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_in_markdown_is_markup_that_aws_said(text: str) -> None:
    shown = render(hostile(text), "md")
    assert isinstance(shown, str)
    assert not [line for line in shown.splitlines() if RAW.search(outside_code(line))]
    header = next(line for line in shown.splitlines() if line.startswith("| Severity"))
    rows = shown[shown.index(header) :].split("\n\n")[0].splitlines()
    assert {len(re.findall(r"(?<!\\)\|", outside_code(row))) for row in rows} == {5}, "no text ends a cell"


@pytest.mark.parametrize("color", [False, True])
def test_no_text_of_aws_commands_the_terminal_of_a_report(color: bool) -> None:
    shown = render(hostile(HIDING), "text", color=color, verbose=True)
    assert isinstance(shown, str)
    assert not CONTROL.search(re.sub(r"\x1b\[[0-9;]*m", "", shown) if color else shown)
    assert "\x1b[8m" not in shown and "␛[8mb" in shown, "shown, not dropped: nothing is hidden"


@pytest.mark.parametrize("name", ["html", "md", "junit", "csv"])
def test_no_text_of_aws_is_an_escape_in_a_file_that_is_read_on_a_terminal(name: str) -> None:
    shown = render(hostile(HIDING), name)
    assert isinstance(shown, str) and "\x1b" not in shown and "\x00" not in shown


def test_a_value_in_a_sentence_shows_its_control_characters() -> None:
    assert brief("a\x1b[2Kb") == "a␛[2Kb" == phrase("a\x1b[2Kb")
    assert not CONTROL.search(phrase({"a": {"b": HIDING}}))
    assert visible("two\nlines\tand 한글 😀") == "two\nlines\tand 한글 😀"


def test_what_is_markdown_already_is_told_by_its_type() -> None:
    assert cell("**b**") == r"\*\*b\*\*" and cell(Markdown("**b**")) == "**b**"
    assert cell(code("a`b|c")) == "`` a`b\\|c ``"


def _plan(text: str) -> Plan:
    step = Step(
        id="step-001",
        finding="f",
        title=text,
        key=ResourceKey(account=ACCOUNT, region="us-east-1", type="AWS::S3::Bucket", identifier=text),
        severity=Severity.HIGH,
        cure=Cure.ADOPT,
        action=ActionKind.TEMPLATE_PATCH,
        target=text,
        parameters={"Branch": text, "Diff": text, "Edits": []},
        expected=(Change(path=f"/{text}", before=text, after=[text]),),
        message=text,
        why_safe=text,
        why_this_cure=text,
        changed_by=text,
        stack=text,
    )
    left = Refusal(finding="f", title=text, place=text, guard="deletes", why=text)
    return Plan(
        id="p",
        created_at=night(0),
        expires_at=night(1),
        author=text,
        digest="d" * 64,
        steps=(step,),
        left=(left,),
    )


@pytest.mark.parametrize("form", [plans.full, plans.text, plans.sums])
def test_no_text_of_aws_commands_the_terminal_of_a_plan(form: object) -> None:
    assert callable(form)
    assert not CONTROL.search(form(_plan(HIDING)))


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_in_a_plan_of_markdown_is_markup_that_aws_said(text: str) -> None:
    shown = plans.markdown(_plan(text))
    fenced = re.sub(r"(?ms)^(`{3,})diff$.*?^\1$", "", shown)
    assert not [line for line in fenced.splitlines() if RAW.search(outside_code(line))]


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_commanded_by_our_colours_only(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, plain = _Screen(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", plain)
    with guarded():
        click.secho(f"title {HIDING}", fg="red", bold=True)
        table(("A", "B"), [(HIDING, "HIGH")], "nothing")
        sys.stderr.write(HIDING)
    assert sys.stdout is screen and plain.getvalue() == HIDING, "a file gets what it was sent"
    assert "\x1b[31m" in screen.getvalue() and "\x1b[8m" not in screen.getvalue()
    assert not CONTROL.search(re.sub(r"\x1b\[(?:0|1|31)m", "", screen.getvalue()))
