"""The memory of the demo night, through the commands that a platform engineer and an auditor use."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftguard.cli.root import run
from driftguard.history import open_store
from driftguard.history.port import Query
from driftguard.model import Snapshot
from driftguard.report import render
from driftguard.rules.frameworks import Framework
from driftguard.rules.scores import of_report, tallies, whole
from driftguard.rules.shipped import all_frameworks, load_all
from tests.synthetic.conftest import Night


@pytest.fixture
def cli(night: Night, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("DRIFTGUARD_STORE", night.store)
    monkeypatch.chdir(night.folder)

    def call(*arguments: str, expect: int = 0) -> str:
        capsys.readouterr()
        code = run(list(arguments))
        out = capsys.readouterr()
        assert code == expect, (arguments, code, out.err)
        return out.out

    return call


def test_the_store_verifies_and_a_backup_is_a_whole_store(
    cli: Any, night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("store", "verify").strip() == "intact"
    copy = tmp_path / "copy.db"
    cli("store", "backup", str(copy))
    before = json.loads(cli("drift", "--output", "json", expect=1))
    monkeypatch.setenv("DRIFTGUARD_STORE", f"sqlite:///{copy}")
    (tmp_path / "driftguard.key").write_bytes((night.folder / "driftguard.key").read_bytes())
    (tmp_path / "driftguard.key").chmod(0o600)
    assert cli("store", "verify").strip() == "intact"
    assert json.loads(cli("drift", "--output", "json", expect=1)) == before
    assert "Repeat with --yes" in cli("store", "retain")
    assert cli("store", "retain", "--yes").startswith("Forgot what ended before")
    after, earlier = map(float, re.findall(r"([\d.]+) MB", cli("store", "compact")))
    assert 0 < after <= earlier
    assert cli("store", "verify").strip() == "intact"
    anchor = cli("store", "anchor").strip()
    assert cli("store", "verify", "--anchor", anchor).strip() == "intact"
    cli("store", "verify", "--anchor", anchor[:-1] + ("0" if anchor[-1] != "0" else "1"), expect=2)
    cli("store", "verify", "--anchor", "nonsense", expect=2)
    monkeypatch.setenv("DRIFTGUARD_STORE", f"sqlite:///{tmp_path}/restored.db")
    cli("store", "restore", str(copy))
    assert json.loads(cli("drift", "--output", "json", expect=1))["run"] == before["run"]
    cli("store", "restore", str(copy), expect=2)


def test_evidence_names_every_control_and_a_changed_byte_is_found(
    cli: Any, night: Night, tmp_path: Path
) -> None:
    made = cli(
        "attest", "k-isms", "1.1.1", "--statement", "The board met on 1 September.",
        "--evidence", "https://wiki.example.com/board/2026-09", "--by", "lee", "--output", "json",
    )  # fmt: skip
    assert json.loads(made)["framework"] == "K-ISMS"
    bundle = tmp_path / "k-isms.zip"
    later = (datetime.now(UTC) + timedelta(days=30)).strftime("%Y-%m-%d")
    seal = cli("evidence", "export", "--framework", "K-ISMS", "--at", later, "--out", str(bundle)).split()[-1]
    assert cli("evidence", "verify", str(bundle), "--seal", seal).strip() == "intact"
    key = str(night.folder / "driftguard.key")
    assert cli("evidence", "verify", str(bundle), "--key-file", key).strip() == "intact"
    other = tmp_path / "other.key"
    other.write_text("ab" * 32)
    other.chmod(0o600)
    assert "NOT intact" in cli("evidence", "verify", str(bundle), "--key-file", str(other), expect=2)
    with zipfile.ZipFile(bundle) as archive:
        controls = {one["control"]: one for one in json.loads(archive.read("controls.json"))}
        audit = archive.read("audit.jsonl").decode()
    verdicts = {name: one["verdict"] for name, one in controls.items()}
    assert len(controls) == 80 and verdicts["1.1.1"] == "ATTESTED"
    assert {"NON_COMPLIANT", "NOT_ATTESTED"} <= set(verdicts.values())
    assert controls["1.1.2"]["title"] and verdicts["1.1.2"] == "NOT_ATTESTED"
    assert "attestation.put" in audit
    raw = bytearray(bundle.read_bytes())
    raw[len(raw) // 2] ^= 1
    bundle.write_bytes(raw)
    assert "NOT intact" in cli("evidence", "verify", str(bundle), expect=2)


def test_attesting_what_there_is_not_is_refused_with_what_there_is(cli: Any) -> None:
    cli("attest", "K-ISMS", "99.9", "--statement", "so it is", expect=2)
    cli("attest", "NOPE", "1.1.1", "--statement", "so it is", expect=2)


def test_security_hub_takes_every_finding_of_the_night(night: Night) -> None:
    findings = json.loads(render(night.after, "asff"))
    listed = findings["Findings"] if isinstance(findings, dict) else findings
    assert len(listed) > 10
    taken = 0
    places = {(one["AwsAccountId"], one.get("Region") or one["ProductArn"].split(":")[3]) for one in listed}
    for account, region in sorted(places):
        hub = night.sandbox.session(account=account, region=region, principal="driftguard").client(
            "securityhub"
        )
        hub.enable_security_hub()
        mine = [
            one for one in listed
            if (one["AwsAccountId"], one.get("Region") or one["ProductArn"].split(":")[3]) == (account, region)
        ]  # fmt: skip
        for start in range(0, len(mine), 100):
            answer = hub.batch_import_findings(Findings=mine[start : start + 100])
            assert answer["FailedFindings"] == []
            taken += answer["SuccessCount"]
    assert taken == len(listed)


def test_the_morning_text_is_short_and_says_who(night: Night) -> None:
    text = str(render(night.after, "text", width=120))
    assert len(text.splitlines()) < 260
    assert "arn:aws:sts" not in text
    assert text.index("Root causes") < text.index("New since the last run")


def test_a_report_since_a_day_and_in_both_languages(cli: Any, tmp_path: Path) -> None:
    long_ago, later = "2020-01-01", (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%d")
    everything, nothing = cli("report", "--since", long_ago), cli("report", "--since", later)
    assert f"New since {long_ago} (" in everything and "Still open" not in everything
    assert "Nothing new." in nothing and "New since" not in nothing
    cli("report", "--format", "html,md", "--lang", "en,ko", "--out", str(tmp_path / "r"))
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names == {"report.en.html", "report.ko.html", "report.en.md", "report.ko.md"}
    cli("report", "--format", "html,md", expect=2)
    cli("report", "--lang", "xx", expect=2)
    cli("report", "--framework", "nosuch", expect=2)


def test_a_root_cause_is_planned_and_waived_as_one(
    cli: Any, tmp_path: Path, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    cause = json.loads(cli("report", "--format", "json"))["causes"][0]
    assert f"driftguard remediate plan --cause {cause['id']}" in cli("report")
    copy = tmp_path / "copy.db"
    cli("store", "backup", str(copy))
    monkeypatch.setenv("DRIFTGUARD_STORE", f"sqlite:///{copy}")
    (tmp_path / "driftguard.key").write_bytes((night.folder / "driftguard.key").read_bytes())
    (tmp_path / "driftguard.key").chmod(0o600)
    cli("waive", "--cause", "nonsense", "--owner", "kim", "--reason", "known", expect=2)
    told = cli("waive", "--cause", cause["id"], "--owner", "kim", "--reason", "the release of the night")
    waivers = json.loads(cli("waivers", "--output", "json"))
    assert len(told.splitlines()) == len(waivers) == len(cause["findings"])
    names = {waiver["resource"] for waiver in waivers}
    assert len(names) == cause["resources"]
    cli("waivers", *[part for waiver in waivers for part in ("--remove", waiver["id"])])
    assert "Nothing is accepted." in cli("waivers")


def test_a_planted_change_has_a_timeline(cli: Any, night: Night) -> None:
    changed = next(f for f in night.after.findings if f.kind.value == "DRIFT" and f.subject and f.changed_by)
    document = json.loads(cli("history", str(changed.key), "--output", "json"))
    assert document["entries"]
    assert document["entries"][0]["kind"] in ("CHANGED", "CREATED")


def test_the_timeline_says_what_changed_and_who_did_it(cli: Any) -> None:
    said = cli("history", "shop-prod-artifacts-222222222222")
    assert "BlockPublicAcls: true" in said and "(absent)" in said
    assert "by minji.kim (PlatformEngineer) via console, DeletePublicAccessBlock" in said
    told = json.loads(cli("history", "shop-prod-task", "--output", "json"))
    (change,) = next(entry for entry in told["entries"] if entry["changes"])["changes"]
    assert change["path"].startswith("/Policies/") and change["before"] is None
    assert change["changed_by"]["principal"].endswith("/junho.lee")


def test_a_change_that_is_no_drift_has_its_author_too(cli: Any) -> None:
    """A deployment, an autoscaler beside a person on the same table, and a policy that was only written differently."""
    parameter = cli("history", "/shop/prod/workers/log-level")
    assert "by release (shop-prod-pipeline) via CloudFormation, PutParameter" in parameter
    table = json.loads(cli("history", "shop-prod-cart", "--output", "json"))
    [changed] = [entry for entry in table["entries"] if entry["kind"] == "CHANGED"]
    who = {
        change["path"].rpartition("/")[2]: change["changed_by"]["principal"] for change in changed["changes"]
    }
    assert "AutoScaling" in who["ReadCapacityUnits"] and who["WriteCapacityUnits"].endswith("/junho.lee")
    role = cli("history", "222222222222/global/AWS::IAM::Role/shop-prod-execution")
    assert '+ ["secretsmanager:GetSecretValue"]' in role and '- "secretsmanager:GetSecretValue"' in role
    bucket = json.loads(cli("history", "minji-debug-dump", "--output", "json"))
    assert bucket["entries"][-1]["changed_by"]["event"] == "CreateBucket"


def test_a_framework_has_one_score_in_report_store_and_trend(night: Night, tmp_path: Path) -> None:
    """After the first night, which saw every region: what the store holds is what the run judged."""
    store = open_store(f"sqlite:///{tmp_path / 'first.db'}")
    store.record(night.before, Snapshot(taken_at=night.before.run.started_at, resources={}))
    by_policy = tallies(store.evaluation_counts(Query()), load_all())
    [trend] = store.trends()
    store.close()
    found = of_report(night.before)
    assert len(found) > 10
    assert found == {name: whole(framework(name), by_policy) for name in found}
    assert trend.compliance == {name: one.percent for name, one in found.items()}
    text = str(render(night.before, "md"))
    assert all(
        re.search(rf"\| {name} .*\| {one.compliant} \| {one.failed} \|", text) for name, one in found.items()
    )


def framework(name: str) -> Framework:
    found = all_frameworks().get(name)
    assert found is not None, name
    return found


def test_a_list_says_on_every_page_whether_anything_is_wrong(cli: Any) -> None:
    """The exit code is that of the whole answer: a gate must not pass since the page was short."""
    cli("drift", "--all", "--limit", "1", expect=1)
    cli("findings", "--all", "--limit", "1", expect=1)
    cli("compliance", "--all", "--limit", "1", expect=1)
    cli("drift", "--status", "IN_SYNC", "--limit", "1", expect=0)


def test_an_undeclared_change_is_drift_wherever_it_is_told(cli: Any) -> None:
    rows = cli("drift", expect=1).splitlines()
    assert [row.split()[:2] for row in rows if " /CopyTagsToSnapshot" in row] == [["UNDECLARED", "Database"]]
    listed = json.loads(cli("drift", "--output", "json", expect=1))["drifts"]
    assert len(listed) == len(rows) - 1
