"""Sign-in through an identity provider, over real HTTP: who is let in, as what, and who is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from driftguard.service.app import create_app
from driftguard.settings.web import Grant
from tests.openid_provider import CLIENT, SECRET, Provider, provider
from tests.service_values import ACCOUNT, BASE, OTHER, House, house

KIM = {"sub": "u-1", "email": "kim@example.com", "email_verified": True, "groups": ["platform"]}
GRANTS = [
    {"role": "approver", "groups": ["platform"], "accounts": [ACCOUNT]},
    {"role": "viewer", "users": ["*@example.com"]},
]


@pytest.fixture(scope="module")
def vouching() -> Iterator[Provider]:
    with provider() as made:
        yield made


@pytest.fixture
def idp(vouching: Provider) -> Provider:
    """The provider, honest again."""
    vouching.claims, vouching.lies = dict(KIM), {}
    vouching.issuer, vouching.stranger, vouching.unsigned = "", False, False
    return vouching


@pytest.fixture
def home(tmp_path: Path, idp: Provider) -> House:
    oidc = {"issuer": idp.url, "client_id": CLIENT, "client_secret": SECRET}
    return house(tmp_path, oidc=oidc, grants=GRANTS, public_url=BASE)


def begin(client: TestClient) -> str:
    """Where the provider sends the reader of ``client`` back to: the path with code and state."""
    answer = client.get("/sign-in/oidc")
    assert answer.status_code == 303, answer.text
    back = httpx2.get(answer.headers["location"], follow_redirects=False, timeout=10)
    assert back.status_code == 302, back.text
    address = urlsplit(back.headers["location"])
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{BASE}/sign-in/callback"
    return f"{address.path}?{address.query}"


def refused(home: House, client: TestClient, back: str) -> str:
    """Come back with ``back``, get nothing, and answer what the audit log says of it."""
    answer = client.get(back, headers={"accept": "application/json"})
    assert answer.status_code in (403, 502, 503), answer.text
    assert "dg_session" not in client.cookies
    assert client.get("/api/v1/findings").status_code == 401
    return " ".join(str(dict(one.detail)) for one in home.store.audit_newest(limit=3))


def test_a_group_gives_its_role_on_its_accounts(home: House) -> None:
    client = home.anybody()
    answer = client.get(begin(client))
    assert answer.status_code == 200 and "dg_session" in client.cookies
    found = client.get("/api/v1/findings").json()["items"]
    assert {one["account"] for one in found} == {ACCOUNT, OTHER}, "a viewer of everything as well"
    held = {holding.accounts: holding.permissions for holding in home.session(client).holdings}
    assert "approve" in held[frozenset({ACCOUNT})]
    assert held[None] == {"read"}
    opened = next(one for one in home.store.audit_newest(limit=9) if one.action == "session.open")
    assert (opened.actor, dict(opened.detail)) == ("kim@example.com", {"how": "oidc"})


def test_a_sign_in_works_once_and_in_its_own_browser(home: House) -> None:
    client = home.anybody()
    back = begin(client)
    assert home.anybody().get(back).status_code == 403, "another browser"
    assert client.get(back).status_code == 200
    client.cookies.delete("dg_session")
    client.cookies.set("dg_oidc", parse_qs(urlsplit(back).query)["state"][0])
    assert client.get(back).status_code == 403, "a second time"


def test_a_state_that_was_made_up_is_refused(home: House) -> None:
    client = home.anybody()
    begin(client)
    client.cookies.set("dg_oidc", "made-up")
    refused(home, client, "/sign-in/callback?state=made-up&code=x")


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "of another sign-in"},
        {"iss": "https://idp.example.com"},
        {"aud": "another-client"},
        {"aud": ["driftguard", "another"], "azp": "another"},
        {"exp": 1},
        {"sub": None},
    ],
    ids=lambda lie: "-".join(lie),
)
def test_a_token_that_does_not_hold_proves_nobody(home: House, idp: Provider, lie: dict[str, Any]) -> None:
    idp.lies = lie
    client = home.anybody()
    assert "does not hold" in refused(home, client, begin(client))


@pytest.mark.parametrize("how", ["stranger", "unsigned"])
def test_a_signature_that_is_not_the_providers_is_refused(home: House, idp: Provider, how: str) -> None:
    setattr(idp, how, True)
    client = home.anybody()
    assert "does not hold" in refused(home, client, begin(client))


def test_the_code_is_worth_nothing_without_its_verifier(home: House, idp: Provider) -> None:
    client = home.anybody()
    back = begin(client)
    (code,) = parse_qs(urlsplit(back).query)["code"]
    idp.codes[code] = {**idp.codes[code], "code_challenge": "of somebody else"}
    refused(home, client, back)


def test_a_provider_that_calls_itself_otherwise_is_not_asked(home: House, idp: Provider) -> None:
    idp.issuer = "https://idp.example.com"
    answer = home.anybody().get("/sign-in/oidc", headers={"accept": "application/json"})
    assert answer.status_code >= 400 and "calls itself" in answer.text


def test_an_address_that_nobody_verified_grants_nothing(home: House, idp: Provider) -> None:
    idp.claims |= {"email_verified": False, "groups": []}
    client = home.anybody()
    assert "no role" in refused(home, client, begin(client))


def test_a_session_may_what_the_grants_say_now(home: House) -> None:
    client = home.anybody()
    assert client.get(begin(client)).status_code == 200
    fewer = [Grant.model_validate(GRANTS[1] | {"accounts": [OTHER]})]
    for grants, status in ((fewer, 200), ([], 401)):
        web = home.services.settings.web.model_copy(update={"grants": tuple(grants)})
        settings = home.services.settings.model_copy(update={"web": web})
        again = TestClient(create_app(replace(home.services, settings=settings)), base_url=BASE)
        again.cookies.update(client.cookies)
        answer = again.get("/api/v1/findings")
        assert answer.status_code == status
        if status == 200:
            assert {one["account"] for one in answer.json()["items"]} == {OTHER}
