"""Every format: what is new first, nothing hidden, and what the published forms ask for."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from driftguard.errors import InputError
from driftguard.history.causes import group
from driftguard.model import (
    ChangedBy,
    ComplianceType,
    CoverageCounts,
    DriftStatus,
    Finding,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    Outcome,
    PolicySummary,
    Report,
    ResourceKey,
    Severity,
)
from driftguard.model.trend import TrendPoint
from driftguard.report import formats, render
from driftguard.report.formats.asff import resource_type
from driftguard.report.gaps import grouped
from driftguard.report.messages import languages, messages
from driftguard.report.people import person
from driftguard.rules.shipped import all_frameworks
from tests.history_values import drift, evaluation, finding, full_report, key, night, report
from tests.published_files import SARIF, published

CASES = Path(__file__).parents[2] / "cases/report"


DETAIL = '{"differences":[{"path":"/Prop/0","expected":"<b>&","actual":null,"type":"NOT_EQUAL"}]}'


def rich_report() -> Report:
    """New, reopened, open, accepted and resolved findings of every kind and severity, and gaps."""
    base = full_report(1)
    kinds = list(FindingKind)
    listed: list[Finding] = []
    for number, severity in enumerate([*Severity, *Severity]):
        kind = kinds[number % len(kinds)]
        listed.append(
            finding(
                f"res-{number}",
                "VERSIONING" if kind is FindingKind.COMPLIANCE else f"/Prop{number}",
                kind=kind,
                severity=severity,
                detail="" if kind is FindingKind.COMPLIANCE else DETAIL,
                message=f"message {number} | with `marks` <script>alert(1)</script>",
                remedy="AWS-X" if number == 3 else None,
            )
        )
    listed[4] = replace(listed[4], status=FindingStatus.SUPPRESSED, waiver="W-7")
    listed[5] = replace(listed[5], flapping=True, occurrences=4)
    odd = ResourceKey(
        account="1" * 12, region="global", type="AWS::IAM::Role", identifier="=cmd|' /C calc'!A0\x0b"
    )
    listed.append(finding("odd", "", key=odd, title="=HYPERLINK(1)", severity=Severity.CRITICAL))
    return replace(
        base,
        findings=tuple(listed),
        new=frozenset({listed[0].fingerprint, listed[1].fingerprint, listed[-1].fingerprint}),
        reopened=frozenset({listed[6].fingerprint}),
        drifts=(*base.drifts, drift("nc", DriftStatus.NOT_CHECKED), drift("del", DriftStatus.DELETED)),
    )


def quiet_report() -> Report:
    return report(1, coverage=CoverageCounts(checked=240))


def points() -> list[TrendPoint]:
    return [
        TrendPoint(
            run=f"r{n}",
            at=night(n),
            open={"HIGH": n % 3, "LOW": 2},
            mean_hours_in_drift=None if n == 2 else 3.0 * n,
            compliance={"K-ISMS": 80 + n, "CIS": 70.0},
            coverage=99.5,
        )
        for n in range(8)
    ]


@pytest.mark.parametrize("lang", languages())
@pytest.mark.parametrize("name", formats())
def test_every_format_renders_every_report(name: str, lang: str) -> None:
    for value in (
        rich_report(),
        quiet_report(),
        report(0, outcome=Outcome.PARTIAL, coverage=CoverageCounts()),
    ):
        assert render(value, name, lang, trends=points())


def test_an_unknown_format_or_language_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="html"):
        render(quiet_report(), "docx")
    with pytest.raises(InputError, match="ko"):
        render(quiet_report(), "html", "xx")


def test_languages_have_the_same_texts_with_the_same_values() -> None:
    english = messages("en")
    for lang in languages():
        other = messages(lang)
        plain = {name for name in english.keys if not name.endswith(".one")}
        assert plain <= other.keys and other.keys <= english.keys
        for name in plain:
            fields = [set(re.findall(r"{(\w+)}", book.get(name, ""))) for book in (english, other)]
            assert fields[0] == fields[1], f"{lang}: {name}"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "link", "img", "line", "circle", "polyline", "polygon"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle", "polyline", "polygon"):
            assert self.open.pop() == tag, f"</{tag}>"


def html(value: Report, lang: str = "en") -> str:
    text = render(value, "html", lang, trends=points())
    assert isinstance(text, str)
    return text


def test_html_stands_alone_and_is_well_formed() -> None:
    text = html(rich_report())
    page = _Page()
    page.feed(text)
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(names)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(""", text), "nothing is fetched"
    assert "&lt;b&gt;&amp;" in text and "&lt;script&gt;" in text and "<b>&" not in text
    assert "prefers-color-scheme:dark" in text and "@media print" in text


def test_html_can_be_read_without_eyes() -> None:
    page = _Page()
    page.feed(html(rich_report(), "ko"))
    attributes = dict(page.tags[0][1])
    assert page.tags[0][0] == "html" and attributes["lang"] == "ko"
    names = [tag for tag, _ in page.tags]
    assert names.count("main") == names.count("h1") == 1
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a.get("aria-labelledby") in ids for tag, a in page.tags if tag == "section")
    assert all(a.get("scope") for tag, a in page.tags if tag == "th")
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in page.tags if tag == "svg")


def test_colours_have_contrast() -> None:
    css = (Path(__file__).parents[3] / "driftguard/report/templates/report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root\{(.*?)\}", css, re.DOTALL)[:2]
    for block in blocks:
        values = dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))
        pairs = [
            ("ink", "paper"),
            ("soft", "paper"),
            ("soft", "card"),
            ("link", "paper"),
            ("medium", "paper"),
        ]
        pairs += [
            (name, f"{name}-w") for name in ("critical", "high", "medium", "low", "informational", "good")
        ]
        for front, back in pairs:
            assert _contrast(values[front], values[back]) >= 4.5, f"{front} on {back}"


def _contrast(one: str, two: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["text", "md", "html"])
def test_what_matters_comes_first_and_gaps_are_never_hidden(name: str) -> None:
    text = str(render(rich_report(), name))
    first = text.index("3 new critical or high findings since the last run.")
    assert "2 new critical or high" not in text
    order = [
        text.index(part, first)
        for part in ("New since the last run", "Still open", "Resolved", "Coverage and gaps")
    ]
    assert order == sorted(order)
    assert "s3:ListAllMyBuckets" in text and "1 gap" in text and "Access denied" in text
    assert "Accepted for now" in text


def test_headlines_tell_good_from_unknown() -> None:
    assert "All clear: 240 resources checked, nothing open." in str(render(quiet_report(), "text"))
    nothing = report(1, coverage=CoverageCounts())
    assert "nothing was checked" in str(render(nothing, "text"))
    partial = replace(quiet_report(), outcome=Outcome.PARTIAL)
    assert "The run is partial." in str(render(partial, "text"))
    assert "이상 없음" in str(render(quiet_report(), "text", "ko"))


def test_text_has_no_escapes_unless_asked_for() -> None:
    assert "\x1b[" not in str(render(rich_report(), "text"))
    assert "\x1b[" in str(render(rich_report(), "text", color=True))


def test_markdown_is_inert() -> None:
    text = str(render(rich_report(), "md"))
    assert "<script>" not in text and "\\<script\\>" in text


def test_json_has_the_promised_form() -> None:
    document = json.loads(render(rich_report(), "json"))
    assert {"run", "outcome", "coverage", "drifts", "findings", "gaps"} <= set(document)
    assert set(document["coverage"]) == {
        "checked",
        "not_checked",
        "unsupported",
        "throttled",
        "unresolved",
        "ignored",
    }
    first = next(d for d in document["drifts"] if d["logical_id"] == "Archive")
    wanted = "account region stack logical_id physical_id resource_type status differences first_seen last_seen changed_by"
    assert set(wanted.split()) <= set(first)
    assert first["differences"][0]["PropertyPath"] == "/VersioningConfiguration/Status"
    assert {"principal", "event", "time", "source"} <= set(first["changed_by"])
    assert next(d for d in document["drifts"] if d["logical_id"] == "Plain")["changed_by"] is None


def test_csv_holds_every_finding_and_gap_and_no_formula() -> None:
    value = rich_report()
    rows = list(csv.DictReader(io.StringIO(str(render(value, "csv")))))
    count = len(value.findings) + len(value.resolved) + len(value.gaps)
    assert len(rows) == count
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "+", "-", "@")]
    assert {row["state"] for row in rows} >= {"NEW", "REOPENED", "SUPPRESSED", "RESOLVED", "ACCESS_DENIED"}


def test_sarif_is_valid() -> None:
    """Against the published schema of SARIF 2.1.0 (rtm.5), as Microsoft's SDK carries it."""
    schema = json.loads(published(SARIF))
    assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
    document = json.loads(render(rich_report(), "sarif"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    run = document["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    states = [result["baselineState"] for result in run["results"]]
    assert states.count("new") == 4 and "absent" in states
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1
    assert run["invocations"][0]["executionSuccessful"] is False


def test_asff_is_what_security_hub_takes() -> None:
    """Against the service model that AWS publishes in botocore, and the limits that only its pages tell."""
    findings = json.loads(render(rich_report(), "asff"))
    limits = json.loads((CASES / "asff.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(findings, limits)
    shape = (
        botocore.session.get_session().get_service_model("securityhub").operation_model("BatchImportFindings")
    )
    faults = ParamValidator().validate({"Findings": findings}, shape.input_shape)
    assert not faults.has_errors(), faults.generate_report()
    assert len({item["Id"] for item in findings}) == len(findings)
    assert {item["RecordState"] for item in findings if item["Workflow"]["Status"] == "RESOLVED"} == {
        "ARCHIVED"
    }


def test_asff_names_resources_as_security_hub_does() -> None:
    assert resource_type("AWS::S3::Bucket") == "AwsS3Bucket"
    assert resource_type("AWS::EC2::SecurityGroup") == "AwsEc2SecurityGroup"
    assert resource_type("AWS::EC2::VPC") == "AwsEc2Vpc"
    assert resource_type("AWS::Lambda::Function") == "AwsLambdaFunction"
    assert resource_type("AWS::Made::Up") == "Other"


def test_ocsf_is_valid() -> None:
    """Against the published schema of OCSF 1.3.0, as the package that compiles it carries it."""
    ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.3.0"))
    schema = ocsf.get_class_schema("compliance_finding", ["cloud"])
    assert schema["additionalProperties"] is False, "what the schema does not know must be found"
    events = json.loads(render(rich_report(), "ocsf"))
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    for event in events:
        checker.validate(event)
        assert event["metadata"]["version"] == ocsf.schema.version
    assert all(event["type_uid"] == 200300 + event["activity_id"] for event in events)
    assert {event["activity_id"] for event in events} == {1, 2, 3}


def test_pdf_is_a_pdf_with_korean() -> None:
    data = render(rich_report(), "pdf", "ko")
    assert isinstance(data, bytes) and data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert b"HYSMyeongJo-Medium" in data


def test_a_carried_finding_says_that_it_was_not_looked_at() -> None:
    old = finding("a", last_run="earlier", last_seen=night(0) - timedelta(days=1))
    text = str(render(report(1, findings=(old,)), "text"))
    assert "not looked at in this run" in " ".join(text.split())

    listed = str(render(report(1, findings=(old,)), "text", verbose=True))
    assert "not looked at in this run" in " ".join(listed.split())


def caused_report() -> Report:
    """Forty new findings of one console session, and thirty that are still open."""
    by = ChangedBy(
        principal="arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_PlatformEngineer_0123456789abcdef/minji.kim",
        event="PutBucketVersioning",
        time=night(0),
        source="console",
        session="minji.kim",
    )
    new = [finding(f"new-{n}", changed_by=by, detail=DETAIL) for n in range(40)]
    old = [finding(f"old-{n}", f"/P{n}", stack=f"s{n}", severity=Severity.LOW) for n in range(30)]
    listed = (*new, *old)
    return report(
        1,
        findings=listed,
        new=frozenset(f.fingerprint for f in new),
        causes=group(listed),
        run=full_report(1).run,
    )


@pytest.mark.parametrize("name", ["text", "md", "html"])
def test_root_causes_come_first_with_who_did_it(name: str) -> None:
    text = str(render(caused_report(), name)).replace("\\", "")
    told = text[text.index("Root causes") : text.index("New since the last run")]
    assert "minji.kim (PlatformEngineer)" in told and "via console" in told
    assert "findings 40 · resources 40 · accounts 1" in text


def test_json_tells_root_causes() -> None:
    document = json.loads(render(caused_report(), "json"))
    [cause] = document["causes"]
    assert (cause["kind"], cause["resources"], len(cause["findings"])) == ("SESSION", 40, 40)
    assert {f["cause"] for f in document["findings"]} <= {cause["id"], None}


def test_the_text_of_a_bad_night_is_short() -> None:
    text = str(render(caused_report(), "text"))
    assert len(text.splitlines()) < 90
    assert "and 30 more: driftguard drift" in text
    assert "Low 30. All of them: driftguard report --verbose" in text and "old-3" not in text
    assert "old-3" in str(render(caused_report(), "text", verbose=True))


@pytest.mark.parametrize(
    ("principal", "name"),
    [
        ("arn:aws:sts::1:assumed-role/Ops/kim", "kim (Ops)"),
        ("arn:aws:sts::1:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/lee@x.kr", "lee@x.kr (Admin)"),
        ("arn:aws:iam::1:user/path/park", "park"),
        ("arn:aws:iam::1:root", "root"),
        (
            "arn:aws:sts::1:assumed-role/driftguard-automation/Automation-5570f2cb-6580-4b82-b34a-71ed9834cdcb",
            "driftguard-automation",
        ),
        ("autoscaling.amazonaws.com", "autoscaling.amazonaws.com"),
    ],
)
def test_people_are_called_by_their_names(principal: str, name: str) -> None:
    assert person(principal) == name


def test_a_framework_narrows_the_report() -> None:
    base = full_report(0)
    fault = finding("archive", "VERSIONING", kind=FindingKind.COMPLIANCE, title="Buckets keep versions")
    value = replace(base, findings=(*base.findings, fault), new=frozenset())
    text = str(render(value, "text", framework="k-isms", verbose=True))
    assert "Buckets keep versions" in text and "/VersioningConfiguration/Status differs" not in text
    assert key("archive").identifier in text


@pytest.mark.parametrize("name", ["text", "html", "md", "json"])
def test_notes_are_shown(name: str) -> None:
    value = replace(quiet_report(), notes=("The waiver W-9 matches nothing.",))
    assert "The waiver W-9 matches nothing." in " ".join(str(render(value, name)).split())


def test_a_verdict_that_aws_config_gave_is_marked_as_such() -> None:
    fault = finding("archive", "my-rule", kind=FindingKind.COMPLIANCE, detail='{"judges":["AWS Config"]}')
    value = replace(full_report(0), findings=(fault,), new=frozenset())
    for name in ("text", "html", "md"):
        whole = render(value, name, verbose=True)
        assert "judged by AWS Config" in " ".join(str(whole).split())
    both = replace(fault, detail='{"judges":["AWS Config","driftguard"]}')
    assert "judged by AWS Config" not in str(render(replace(value, findings=(both,)), "text"))


def test_a_korean_report_has_korean_titles() -> None:
    base = full_report(0)
    policies = {name: replace(one, title_ko="버전 관리") for name, one in base.policies.items()}
    fault = finding("archive", "VERSIONING", kind=FindingKind.COMPLIANCE, title="Buckets keep versions")
    value = replace(base, policies=policies, findings=(fault,), new=frozenset())
    assert "버전 관리" in str(render(value, "md", "ko"))
    assert "버전 관리" in str(render(value, "text", "ko", verbose=True))
    assert "버전 관리" not in str(render(value, "md", "en"))


def pci(*verdicts: ComplianceType) -> Report:
    """A run that judged one policy of PCI-DSS-4.0, beside findings of drift."""
    name = "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"
    policy = PolicySummary(
        id=name,
        title="No public buckets",
        severity=Severity.HIGH,
        resource_types=("AWS::S3::Bucket",),
        frameworks={"PCI-DSS-4.0": ("1.4.2",)},
    )
    judged = tuple(evaluation(f"b{number}", verdict, name) for number, verdict in enumerate(verdicts))
    return replace(full_report(0), policies={name: policy}, evaluations=judged)


@pytest.mark.parametrize("name", ["text", "html", "md"])
def test_a_report_on_a_framework_says_nothing_of_the_rest(name: str) -> None:
    met = pci(ComplianceType.COMPLIANT, ComplianceType.COMPLIANT)
    text = " ".join(str(render(met, name, framework="PCI-DSS-4.0")).split())
    assert "PCI-DSS-4.0: 2 resources judged, no finding of its policies is open." in text
    assert "All clear" not in text and "Resources in drift" not in text
    quiet = str(render(pci(), name, framework="PCI-DSS-4.0"))
    assert "none of them judged anything" in " ".join(quiet.split())
    assert "All clear" not in quiet


@pytest.mark.parametrize(("lang", "controls", "heading"), [
    ("en", "PCI-DSS-4.0 (of 30 controls ", "Could not tell"),
    ("ko", "PCI-DSS-4.0 (통제 항목 30개 중 ", "판정 불가"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["html", "md"])
def test_a_share_stands_beside_the_controls_it_says_nothing_of(
    name: str, lang: str, controls: str, heading: str
) -> None:
    value = pci(ComplianceType.COMPLIANT, ComplianceType.INSUFFICIENT_DATA)
    text = str(render(value, name, lang))
    framework = next(one for one in all_frameworks().frameworks if one.id == "PCI-DSS-4.0")
    left = sum("S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED" not in one.policies for one in framework.controls)
    assert controls in text and heading in text
    assert (f"{left} not judged)" if lang == "en" else f"미판정 {left}개)") in text


def test_refusals_of_one_place_name_every_action_that_is_missing() -> None:
    gaps = tuple(
        Gap(reason=GapReason.ACCESS_DENIED, account="1", region="r", detail="no", action=action)
        for action in ("sqs:GetQueueAttributes", "sns:GetTopicAttributes")
    )
    (group,) = grouped(gaps, messages("en"))
    assert group.action == "sns:GetTopicAttributes, sqs:GetQueueAttributes"
    assert "sns:GetTopicAttributes, sqs:GetQueueAttributes" in str(
        render(replace(full_report(0), gaps=gaps), "md")
    )


@pytest.mark.parametrize("name", ["text", "html", "md"])
def test_a_korean_report_tells_notes_and_disagreements_in_korean(name: str) -> None:
    note = "The waiver w-1 matches nothing; it can be removed."
    base = full_report(0)
    said = "/Policy: driftguard found both values to mean the same (json-text)."
    drifts = (replace(base.drifts[0], disagreement=said), *base.drifts[1:])
    value = replace(base, notes=(note,), drifts=drifts)
    told = " ".join(str(render(value, name, "ko")).split())
    assert "예외 승인 w-1에 해당하는 항목이 없습니다." in told and note not in told
    assert said not in told
    assert note in " ".join(str(render(value, name)).split())
    assert note in str(render(value, "json", "ko")), "what programs read stays as it is"
