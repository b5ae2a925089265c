"""What the pages say: of a fresh store, of the night after later looks at a part, and in both languages."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from driftguard.model import Gap, GapReason, Outcome, Scope
from driftguard.service.calling import key_id
from tests.history_values import ACCOUNT, finding, key, night, report, run, snapshot
from tests.service_values import House, house

LOCALES = Path(__file__).parents[3] / "driftguard/service/web/locale"


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


@pytest.mark.parametrize(
    "page", ["/", "/findings", "/drifts", "/resources", "/stacks", "/compliance", "/runs"]
)
def test_a_fresh_store_tells_the_next_step(tmp_path: Path, page: str) -> None:
    text = house(tmp_path, data=False).person("admin").get(page).text
    assert "driftguard scan" in text
    assert "Nothing fits this filter" not in text


def test_a_filter_that_fits_nothing_says_so(home: House) -> None:
    assert "Nothing fits this filter" in home.person("viewer").get("/findings?q=no-such-thing").text


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
    assert f"1 new since {night(2):%Y-%m-%d %H:%M} UTC" in text
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
