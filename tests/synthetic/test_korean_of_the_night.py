"""The demo night as a Korean reader sees it: no policy speaks English in a report or on a page."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from driftguard.model import FindingKind
from driftguard.report import render
from driftguard.rules.policy import Policy, Variant
from driftguard.rules.shipped import load_all
from driftguard.service.access.roles import holding
from driftguard.service.access.sessions import COOKIE, Sessions
from driftguard.service.app import create_app
from driftguard.service.calling import key_id
from driftguard.service.services import services
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.synthetic.conftest import Night

POLICIES = load_all().policies


def _english(policy: Policy) -> tuple[str, str]:
    """The title and the message of a policy, with the parameters that it has by itself."""
    return policy.title, Variant(policy, policy.values({}), policy.severity).message


ENGLISH = sorted({text for policy in POLICIES for text in _english(policy)})


def _left(page: str) -> list[str]:
    """The English of policies in ``page``.  A text with a parameter that the night sets has another value."""
    whole = " ".join(html.unescape(page).split())
    return [text for text in ENGLISH if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", whole)]


def _judged(night: Night) -> list[str]:
    return [one.subject for one in night.after.findings if one.kind is FindingKind.COMPLIANCE]


@pytest.mark.parametrize("name", ["html", "md", "text"])
def test_a_korean_report_has_no_english_policy(night: Night, name: str) -> None:
    assert len(_judged(night)) > 10
    assert _left(str(render(night.after, name, "en", verbose=True))), "the check finds English where it is"
    korean = str(render(night.after, name, "ko", verbose=True))
    assert _left(korean) == []
    fault = next(one for one in night.after.findings if one.open and one.kind is FindingKind.COMPLIANCE)
    assert night.after.policies[fault.subject].title_ko in " ".join(korean.split())


@pytest.fixture
def browser(night: Night) -> Iterator[TestClient]:
    """A signed-in person before the pages of the night's store."""
    settings = load_settings(str(night.folder / "config.yaml"), {"DRIFTGUARD_STORE": night.store})
    with Wiring(settings, clock=night.sandbox.clock.now) as wiring:
        made = services(wiring)
        client = TestClient(create_app(made), base_url="http://127.0.0.1:8420")
        cookie, _ = Sessions(wiring.store, settings.web).open("kim", [holding("admin", ())], "test")
        client.cookies.set(COOKIE, cookie)
        yield client


def test_no_korean_page_has_an_english_policy(night: Night, browser: TestClient) -> None:
    faults = [one for one in night.after.findings if one.kind is FindingKind.COMPLIANCE]
    pages = [
        "/", "/findings", "/findings?kind=COMPLIANCE", "/causes", "/compliance", "/policies", "/plans",
        f"/runs/{night.after.run.id}",
        *(f"/findings/{one.fingerprint}" for one in faults[:20]),
        *(f"/policies/{one.subject}" for one in faults[:20]),
        *(f"/resources/{key_id(one.key)}" for one in faults[:20]),
    ]  # fmt: skip
    wrong = {}
    for page in dict.fromkeys(pages):
        answer = browser.get(f"{page}{'&' if '?' in page else '?'}lang=ko")
        assert answer.status_code == 200, page
        if left := _left(answer.text):
            wrong[page] = left
    assert wrong == {}
    assert _left(browser.get("/findings?kind=COMPLIANCE&lang=en").text), "the check finds English where it is"
