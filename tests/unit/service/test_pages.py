"""What the pages say: of a fresh store, of the night after later looks at a part, and in both languages."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from driftguard.model import (
    ComplianceType,
    CoverageCounts,
    DriftStatus,
    FindingStatus,
    Gap,
    GapReason,
    Outcome,
    RunStatus,
    Scope,
    UndeclaredValue,
)
from driftguard.report.sentences import catalogue
from driftguard.service.calling import key_id
from tests.history_values import (
    ACCOUNT,
    drift,
    evaluation,
    finding,
    key,
    night,
    report,
    resource,
    run,
    snapshot,
)
from tests.service_values import House, house, plan_of

LOCALES = Path(__file__).parents[3] / "driftguard/service/web/locale"


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


@pytest.mark.parametrize(
    "page", ["/", "/findings", "/drifts", "/resources", "/stacks", "/compliance", "/runs", "/causes"]
)
def test_a_fresh_store_tells_the_next_step(tmp_path: Path, page: str) -> None:
    text = house(tmp_path, data=False).person("admin").get(page).text
    assert "driftguard scan" in text
    assert "Nothing fits this filter" not in text


def test_a_filter_that_fits_nothing_says_so(home: House) -> None:
    assert "Nothing fits this filter" in home.person("viewer").get("/findings?q=no-such-thing").text


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("/findings", "driftguard findings"),
        (
            "/findings?severity=HIGH&status=ALL&q=a+b",
            "driftguard findings --severity HIGH --all --search 'a b'",
        ),
        ("/findings?status=RESOLVED", "driftguard findings --status RESOLVED"),
        ("/drifts?account=1&q=x", "driftguard drift --account 1 --search x"),
        ("/drifts?status=DELETED", "driftguard drift --status DELETED"),
        ("/drifts?status=ALL", "driftguard drift --all"),
        ("/resources?q=shop", "driftguard resources --search shop"),
        ("/stacks?stack=shop&q=s", "driftguard stacks --stack shop --search s"),
    ],
)
def test_a_list_tells_the_command_that_answers_the_same(home: House, address: str, command: str) -> None:
    text = html.unescape(home.person("viewer").get(address).text)
    assert re.search(rf">\s*(\$ )?{re.escape(command)}\s*<", text), address


@pytest.mark.parametrize("page", ["/findings", "/drifts"])
def test_a_filter_is_kept_as_a_view_of_its_own_list_until_it_is_deleted(home: House, page: str) -> None:
    client = home.person("viewer")
    token = {"csrf": client.csrf}  # type: ignore[attr-defined]
    form = {**token, "page": page, "name": "ours", "query": "account=111111111111&order=account"}
    answer = client.post("/views", data=form)
    assert answer.headers["location"] == f"{page}?{form['query']}"
    link = f'<a href="{page}?account=111111111111&amp;order=account">ours</a>'
    other = {"/findings": "/drifts", "/drifts": "/findings"}[page]
    assert link in client.get(page).text and ">ours<" not in client.get(other).text
    assert ">ours<" not in home.person("viewer", "lee").get(page).text
    client.post("/views/delete", data={**token, "page": page, "name": "ours"})
    assert ">ours<" not in client.get(page).text
    assert client.post("/views", data={**form, "page": "//elsewhere.example"}).status_code == 400
    second = {**form, "query": f"{form['query']}&cursor=WyJ4Il0&lang=ko"}
    assert client.post("/views", data=second).headers["location"] == f"{page}?{form['query']}"


def test_a_later_look_at_a_part_hides_nothing_of_the_night(home: House) -> None:
    """The night found something and could not read a region; then an event looked at one type elsewhere."""
    denied = Gap(reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="eu-west-1", detail="no")
    fresh = finding("fresh", title="fresh differs", first_seen=night(2), opened_run="r2", last_run="r2")
    whole = report(
        2,
        run=run(2, finished_at=night(2) + timedelta(minutes=5)),
        findings=(fresh,),
        new=frozenset({fresh.fingerprint}),
        gaps=(denied,),
        outcome=Outcome.PARTIAL,
    )
    home.store.record(whole, snapshot(2))
    later = night(2) + timedelta(hours=3)
    scope = Scope(accounts=(ACCOUNT,), regions=("us-east-1",), types=("AWS::EC2::SecurityGroup",))
    part = run(2.2, id="event", scope=scope, finished_at=later)
    home.store.record(
        report(2.2, run=replace(part, started_at=later - timedelta(minutes=1)), findings=(fresh,)),
        snapshot(2.2),
    )
    text = home.person("viewer").get("/?lang=en").text
    assert "1 new finding, critical or high" in text
    assert f"New with the run of {night(2):%Y-%m-%d %H:%M} UTC" in text
    assert "eu-west-1" in text and "Partial" in text


def test_a_part_that_was_looked_at_again_takes_the_place_of_its_gaps(home: House) -> None:
    denied = Gap(reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="eu-west-1", detail="no")
    first = run(2, finished_at=night(2) + timedelta(minutes=5))
    home.store.record(report(2, run=first, gaps=(denied,), outcome=Outcome.PARTIAL), snapshot(2))
    scope = Scope(accounts=(ACCOUNT,), regions=("eu-west-1",))
    again = run(2.1, id="again", scope=scope, finished_at=night(2.1) + timedelta(minutes=1))
    home.store.record(report(2.1, run=again), snapshot(2.1))
    assert "eu-west-1" not in home.person("viewer").get("/").text


def test_every_list_is_a_file_of_what_is_on_the_screen(home: House) -> None:
    client = home.person("admin")
    files = [
        address
        for method, template, address in home.routes()
        if template.endswith(".csv") and method == "GET"
    ]
    assert len(files) >= 11
    for address in files:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert "attachment" in answer.headers["content-disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert all(None not in row for row in rows), address
    narrowed = client.get("/findings.csv?q=archive").content.decode("utf-8-sig")
    assert "archive differs" in narrowed and "hidden differs" not in narrowed


def test_both_languages_have_the_same_words() -> None:
    english, korean = (
        yaml.safe_load((LOCALES / f"{lang}.yaml").read_text(encoding="utf-8")) for lang in ("en", "ko")
    )
    assert english.keys() == korean.keys()
    for name, text in english.items():
        assert set(_fields(text)) == set(_fields(korean[name])), name


def _fields(text: str) -> list[str]:
    return [part.split("}")[0] for part in text.split("{")[1:]]


def test_a_resource_shows_all_its_properties(home: House) -> None:
    text = home.person("viewer").get(f"/resources/{key_id(key('archive'))}").text
    assert "Suspended" in text and '"BucketName": "archive"' in text


def test_a_run_that_failed_claims_no_coverage(home: House) -> None:
    home.store.begin_run(run(3))
    home.store.fail_run("r3", "FAILED", "the store refused")
    text = home.person("viewer").get("/runs/r3?lang=en").text
    assert "the store refused" in text
    assert "Everything in scope" not in text and "driftguard report" not in text


def test_a_plan_waits_for_a_decision_as_long_as_it_would_put_something_right(home: House) -> None:
    found = home.finding()
    plan = plan_of([found], "lee")
    home.store.put_plan(plan)
    assert plan.id in home.person("approver").get("/").text
    gone = replace(found, status=FindingStatus.RESOLVED, resolved_at=night(2))
    home.store.record(report(2, resolved=(gone,)), snapshot(2))
    assert plan.id not in home.person("approver").get("/").text


def test_a_resource_that_changed_undeclared_is_not_shown_as_in_sync(home: House) -> None:
    changed = UndeclaredValue(path="/Logging", value=1, confirmed=True, was=0)
    silent = drift("silent", DriftStatus.IN_SYNC, undeclared=(changed,))
    home.store.record(report(2, drifts=(silent,)), snapshot(2, resource("silent")))
    text = home.person("viewer").get(f"/resources/{key_id(key('silent'))}?lang=en").text
    assert 'pill MODIFIED">Undeclared change' in text
    assert "pill IN_SYNC" not in text


def test_every_time_on_a_page_has_its_zone(home: House) -> None:
    """A time without a zone is read as the reader's own."""
    client = home.person("admin")
    for method, template, address in home.routes():
        if (
            method == "GET"
            and not template.startswith(("/api/", "/metrics"))
            and not template.endswith(".csv")
        ):
            text = client.get(address, headers={"accept": "text/html"}).text
            bare = re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d(?! UTC)", text)
            assert not bare, (address, bare)


def test_korean_pages_have_every_sentence_of_the_settings(home: House) -> None:
    descriptions = set(_descriptions(type(home.services.settings)))
    assert len(descriptions) > 100
    assert descriptions <= catalogue("ko").keys()
    text = home.person("admin").get("/settings?lang=ko").text
    assert "실행 일정" in text and "What runs when." not in text


def _descriptions(model: type[BaseModel]) -> Iterator[str]:
    """What the page of the settings says of each: sections go deeper, lists do not."""
    for spec in model.model_fields.values():
        yield spec.description or ""
        if isinstance(spec.annotation, type) and issubclass(spec.annotation, BaseModel):
            yield from _descriptions(spec.annotation)


def test_an_error_is_told_in_the_language_of_the_page(home: House) -> None:
    answer = home.person("viewer").get("/findings/none?lang=ko", headers={"accept": "text/html"})
    assert answer.status_code == 404
    assert "없는 발견 사항입니다." in answer.text and "there is no such" not in answer.text


def test_numbers_and_charts_are_of_runs_over_everything(home: House) -> None:
    """After the night an interrupted look at everything, and one at a single type: their numbers are no trend."""
    told = CoverageCounts(checked=9, not_checked=1)
    home.store.record(report(1, run=run(1, finished_at=night(1)), coverage=told), snapshot(1))
    client = home.person("admin")
    page = f"/compliance/{home.services.frameworks.frameworks[0].id}"
    before = [client.get(address).text for address in ("/", page)]
    numbers = _numbers(client.get("/metrics").text)
    assert numbers["driftguard_coverage_percent"] == "90.0"
    scope = Scope(types=("AWS::EC2::SecurityGroup",))
    few = CoverageCounts(checked=1, not_checked=9)
    part = run(1.2, id="part", scope=scope, finished_at=night(1.3))
    home.store.record(report(1.2, run=part, coverage=few), snapshot(1.2))
    cut = run(1.4, id="cut", status=RunStatus.INTERRUPTED, finished_at=night(1.5))
    home.store.record(report(1.4, run=cut, coverage=few), snapshot(1.4))
    after = [client.get(address).text for address in ("/", page)]
    assert [_pictures(text) for text in before] == [_pictures(text) for text in after]
    assert len(_pictures(before[0])) >= 2
    assert _numbers(client.get("/metrics").text) == numbers


def test_the_score_of_a_framework_is_the_same_everywhere(home: House) -> None:
    policy = min(home.services.frameworks.frameworks[0].policies)
    judged = [evaluation(f"b{n}", verdict, policy) for n, verdict in enumerate(ComplianceType)]
    home.store.record(report(1, evaluations=tuple(judged)), snapshot(1))
    client = home.machine("read")
    listed = client.get("/api/v1/compliance").json()["items"]
    told = {one["id"]: one["percent"] for one in listed if one["percent"] is not None}
    assert told
    metrics = client.get("/metrics").text
    assert dict(re.findall(r'compliance_percent\{framework="([^"]+)"\} ([\d.]+)', metrics)) == {
        name: str(float(value)) for name, value in told.items()
    }


def _numbers(metrics: str) -> dict[str, str]:
    lines = (line.rpartition(" ") for line in metrics.splitlines() if not line.startswith("#"))
    return {
        name: value
        for name, _, value in lines
        if name.startswith(("driftguard_coverage", "driftguard_compliance"))
    }


def _pictures(page: str) -> list[str]:
    return re.findall(r"<figure>.*?</figure>", page, re.DOTALL)


def test_a_form_takes_back_the_several_values_that_it_shows(home: House) -> None:
    client = home.person("viewer")
    both = client.get("/resources?type=AWS::S3::Bucket&type=AWS::SQS::Queue").text
    shown = re.search(r'name="type" value="([^"]*)"', both)
    assert shown is not None
    again = client.get("/resources", params={"type": shown[1]}).text
    assert ">archive<" in both and ">archive<" in again
    severities = client.get("/findings?severity=HIGH&severity=LOW").text
    assert re.search(r'<select name="severity" multiple>', severities)


def test_names_with_wildcards_are_names(home: House) -> None:
    """A DNS record `*.example.com` is one record, and no question for all of them."""
    star, other = (key(name, "AWS::Route53::RecordSet") for name in ("*.example.com", "www.example.com"))
    found = tuple(
        replace(finding(name), key=which, fingerprint=sign * 32, title=f"{name} differs")
        for name, which, sign in (("star", star, "a"), ("www", other, "b"))
    )
    home.store.record(
        report(1, findings=found), snapshot(1, resource("star", key=star), resource("www", key=other))
    )
    client = home.person("viewer")
    text = client.get(f"/resources/{key_id(star)}").text
    assert f"/findings/{'a' * 32}" in text and f"/findings/{'b' * 32}" not in text
    anything = replace(star, account="*", region="*", type="AWS::S3::Bucket", identifier="*")
    assert client.get(f"/resources/{key_id(anything)}").status_code == 404
    assert home.person("viewer", accounts=[ACCOUNT]).get(f"/resources/{key_id(anything)}").status_code == 404


def test_a_search_tells_what_it_does_not_show(home: House) -> None:
    many = [resource(f"bucket-{n:03}") for n in range(120)]
    found = tuple(
        replace(finding(f"bucket-{n:03}"), opened_run="r1", last_run="r1", title=f"bucket-{n:03} differs")
        for n in range(30)
    )
    home.store.record(report(1, findings=found), snapshot(1, *many))
    text = home.person("viewer").get("/search?q=bucket-").text
    assert '<span class="n">120</span>' in text and 'href="/resources?q=bucket-"' in text
    assert '<span class="n">30</span>' in text and 'href="/findings?q=bucket-"' in text


def test_the_pages_of_runs_tell_numbers_of_all_accounts_to_nobody_who_reads_some(home: House) -> None:
    tile = "<dt>New</dt>"
    assert tile in home.person("viewer").get("/runs/r0?lang=en").text
    few = home.person("viewer", accounts=[ACCOUNT])
    assert tile not in few.get("/runs/r0?lang=en").text
    new = len(home.store.report("r0").new)  # type: ignore[union-attr]  # it was recorded
    assert f'<td class="num">{new}</td>' in home.person("viewer").get("/runs").text
    assert f'<td class="num">{new}</td>' not in few.get("/runs").text


def test_runs_have_their_outcome_and_an_empty_filter_is_no_fresh_store(home: House) -> None:
    client = home.person("viewer")
    (row,) = csv.DictReader(io.StringIO(client.get("/runs.csv").content.decode("utf-8-sig")))
    assert row["outcome"] in {one.value for one in Outcome}
    text = client.get("/runs?status=FAILED&lang=en").text
    assert "Nothing fits this filter" in text and "Nothing was looked at yet" not in text


def test_the_menu_has_no_door_that_is_shut(home: House) -> None:
    for client in (
        home.person("viewer"),
        home.person("viewer", accounts=[ACCOUNT]),
        home.person("approver", accounts=[ACCOUNT]),
        home.person("admin"),
    ):
        menu = re.search(r"<nav.*?</nav>", client.get("/").text, re.DOTALL)
        assert menu is not None
        for address in re.findall(r'href="([^"]+)"', menu[0]):
            assert client.get(address).status_code == 200, address
    assert "/audit" in menu[0] and "/settings" in menu[0]


def test_a_plan_says_how_many_approvals_it_takes_by_now(home: House) -> None:
    plan = plan_of([home.finding()], "lee")
    home.store.put_plan(plan)
    first, second = home.person("approver", "kim"), home.person("approver", "park")
    remediation = home.services.settings.remediation.model_copy(update={"required_approvals": 2})
    settings = home.services.settings.model_copy(update={"remediation": remediation})
    started: list[str] = []
    home.app.state.services = replace(
        home.services, settings=settings, applier=lambda plan, _: started.append(plan.id)
    )
    form = {"digest": plan.digest, "reason": "looked at it"}
    address = f"/plans/{plan.id}"
    assert first.post(f"{address}/approve", data={**form, "csrf": first.csrf}).status_code == 303  # type: ignore[attr-defined]
    text = first.get(f"{address}?lang=en").text
    assert "1 / 2" in text and f"{address}/approve" not in text and "You approved it" in text
    assert f"{address}/approve" in second.get(address).text
    client = home.machine("read", "approve")
    early = client.post(f"/api/v1{address}/executions", json={"digest": plan.digest})
    assert early.status_code == 409 and "needs 2 approvals" in early.json()["detail"]
    assert "has 1" in early.json()["detail"] and not started
