"""Nobody who did not sign in gets anything, and nobody gets more than the role allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn, cast

import pytest
from starlette.testclient import TestClient

from driftguard.errors import ConfigError, StoreError
from driftguard.history.store import SqlStore
from driftguard.service.access.guard import PUBLIC
from driftguard.service.access.tokens import create_link, create_token, list_tokens, revoke_token
from driftguard.service.app import create_app
from driftguard.service.calling import key_id
from driftguard.service.serve import refuse_unsafe
from driftguard.settings.web import WebSettings
from tests.history_values import key
from tests.service_values import ACCOUNT, BASE, OTHER, House, house

PERSONAL = {"/views", "/views/delete", "/sign-out"}
"""What a viewer may send: it changes the viewer's own things alone."""


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path)


def test_the_list_of_routes_is_whole(home: House) -> None:
    paths = {path for _, path, _ in home.routes()}
    assert {"/", "/findings", "/audit", "/api/v1/findings", "/api/v1/plans/{plan_id}/approvals"} <= paths
    assert len(paths) > 45


def test_without_a_name_there_is_no_answer(home: House) -> None:
    for method, template, address in home.routes():
        if template in PUBLIC:
            continue
        answer = home.anybody().request(method, address, headers={"origin": BASE})
        assert answer.status_code in (303, 401), (method, address, answer.status_code)
        if answer.status_code == 303:
            assert answer.headers["location"] == "/sign-in"
        assert "archive" not in answer.text, address
    assert home.anybody().get("/api/v1/openapi.json").status_code == 401


@pytest.mark.parametrize(
    "bad", ["Bearer dg_000000000000_" + "A" * 43, "Bearer x", "Basic a2ltOmtpbQ==", "Bearer "]
)
def test_a_wrong_token_is_nobody(home: House, bad: str) -> None:
    answer = home.anybody().get("/api/v1/findings", headers={"authorization": bad})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_viewer_reads_and_changes_nothing(home: House) -> None:
    client = home.person("viewer")
    before = len(home.store.audit_newest(limit=1000))
    for method, template, address in home.routes():
        if method == "GET" or template in PUBLIC | PERSONAL:
            continue
        if address.startswith("/api/"):
            body = (
                {
                    "finding": home.finding().fingerprint,
                    "owner": "me",
                    "reason": "because",
                }
                if address.endswith("waivers")
                else {"findings": [home.finding().fingerprint]}
                if address.endswith("plans")
                else {"digest": "d" * 64, "reason": "because"}
                if "approvals" in address
                else {"digest": "d" * 64}
                if "executions" in address
                else {}
            )
            answer = client.request(method, address, json=body, headers={"x-csrf-token": client.csrf})
        else:
            form = {"csrf": client.csrf, "owner": "me", "reason": "because", "days": "9", "digest": "d" * 64}
            answer = client.request(method, address, data=form)
        assert answer.status_code in (403, 404), (method, address, answer.status_code, answer.text[:200])
        assert answer.status_code == 403 or "waivers" in address
    assert home.store.waivers() == []
    plans = len([one for one in home.store.audit_newest(limit=1000) if one.action == "plan.put"])
    assert len(home.store.audit_newest(limit=1000)) == before + plans


def test_pages_that_need_more_than_reading(home: House) -> None:
    for role, expected in (("viewer", 403), ("operator", 403), ("approver", 200), ("admin", 200)):
        assert home.person(role).get("/audit").status_code == expected
        assert home.person(role).get("/api/v1/audit").status_code == expected
    assert home.person("admin", accounts=[ACCOUNT]).get("/settings").status_code == 403
    assert home.person("admin", accounts=[ACCOUNT]).get("/metrics").status_code == 403
    assert home.machine("scan").get("/api/v1/findings").status_code == 403


def test_an_account_that_is_not_yours_is_not_there(home: House) -> None:
    client = home.person("admin", accounts=[OTHER])
    known = {"archive differs", ">archive<", '"archive"'}
    for method, template, address in home.routes():
        if method != "GET" or template in PUBLIC:
            continue
        answer = client.get(address)
        assert answer.status_code in (200, 403, 404), address
        assert not [word for word in known if word in answer.text], address
    assert client.get("/api/v1/findings").json()["total"] == 1
    assert client.get(f"/api/v1/findings?account={ACCOUNT}").json() == {
        "items": [],
        "cursor": None,
        "total": 0,
    }
    assert client.get("/api/v1/findings?account=*").json()["total"] == 1
    assert client.get(f"/resources/{key_id(key('archive'))}").status_code == 404
    form = {"csrf": client.csrf, "owner": "me", "reason": "because", "days": "9"}
    assert client.post(f"/findings/{home.finding().fingerprint}/waive", data=form).status_code == 404


def test_a_form_from_elsewhere_is_refused(home: House) -> None:
    client = home.person("admin")
    address = f"/findings/{home.finding().fingerprint}/waive"
    form = {"csrf": client.csrf, "owner": "me", "reason": "because", "days": "9"}
    assert client.post(address, data=form, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post(address, data={**form, "csrf": "x"}).status_code == 403
    assert client.post(address, data={k: v for k, v in form.items() if k != "csrf"}).status_code == 403
    other = home.person("admin", "lee")
    assert client.post(address, data={**form, "csrf": other.csrf}).status_code == 403
    del client.headers["origin"]
    assert client.post(address, data=form).status_code == 403
    assert client.post("/api/v1/runs", json={}, headers={"origin": BASE}).status_code == 403
    assert home.store.waivers() == []


def test_a_foreign_host_name_is_refused(home: House) -> None:
    answer = home.person("admin").get("/", headers={"host": "rebind.example"})
    assert answer.status_code == 400


def test_nobody_approves_alone(home: House) -> None:
    found = home.finding()
    lee, kim = home.person("approver", "lee"), home.person("approver", "kim")
    made = lee.post(f"/findings/{found.fingerprint}/plan", data={"csrf": lee.csrf})
    address = made.headers["location"]
    form = {"digest": "d" * 64, "reason": "looked at it"}
    assert lee.post(f"{address}/approve", data={**form, "csrf": lee.csrf}).status_code == 409
    assert (
        kim.post(f"{address}/approve", data={**form, "digest": "e" * 64, "csrf": kim.csrf}).status_code == 409
    )
    assert kim.post(f"{address}/approve", data={**form, "csrf": kim.csrf}).status_code == 303
    page = kim.get(address, headers={"accept": "text/html"}).text
    assert "looked at it" in page
    assert [one.actor for one in home.store.audit_newest(limit=50) if one.action == "plan.approve"] == ["kim"]


def test_a_sign_in_link_works_once(home: House) -> None:
    code = create_link(home.store, user="kim", role="viewer", actor="root")
    first = home.anybody()
    answer = first.post("/sign-in", data={"code": code}, headers={"origin": BASE})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert first.get("/").status_code == 200
    assert home.anybody().post("/sign-in", data={"code": code}, headers={"origin": BASE}).status_code == 403


def test_signing_out_ends_the_session(home: House) -> None:
    client = home.person("viewer")
    cookies = dict(client.cookies)
    assert client.post("/sign-out", data={"csrf": client.csrf}).status_code == 303
    again = home.anybody()
    again.cookies.update(cookies)
    assert again.get("/findings").status_code == 303


def test_the_store_never_holds_a_token(home: House, tmp_path: Path) -> None:
    text = create_token(home.store, name="ci", scopes=["read"], actor="kim")
    secret = text.split("_", 2)[2]
    written = b"".join(path.read_bytes() for path in tmp_path.glob("t.db*"))
    assert secret.encode() not in written
    token = next(one for one in list_tokens(home.store) if one.name == "ci")
    revoke_token(home.store, token.id, actor="kim")
    answer = home.anybody().get("/api/v1/findings", headers={"authorization": f"Bearer {text}"})
    assert answer.status_code == 401


def test_callers_who_ask_too_often_wait(tmp_path: Path) -> None:
    home = house(tmp_path, requests_per_minute=5, sign_ins_per_minute=2)
    client = home.machine("read")
    answers = [client.get("/api/v1/policies/NONE").status_code for _ in range(7)]
    assert answers[:5] == [404] * 5 and answers[5:] == [429] * 2
    tries = [home.anybody().post("/sign-in", data={"code": "x"}, headers={"origin": BASE}) for _ in range(3)]
    assert [answer.status_code for answer in tries] == [403, 403, 429]
    assert int(tries[-1].headers["retry-after"]) > 0


def test_coming_back_from_a_sign_in_that_nobody_began_leaves_nothing_behind(tmp_path: Path) -> None:
    home = house(tmp_path, sign_ins_per_minute=3)
    client = home.anybody()
    before = len(home.store.audit_newest(limit=1000))
    tries = [client.get("/sign-in/callback?state=-").status_code]
    client.cookies.set("dg_oidc", "made-up")
    tries += [client.get("/sign-in/callback?state=made-up&code=x").status_code for _ in range(3)]
    assert tries == [403, 403, 403, 429]
    assert len(home.store.audit_newest(limit=1000)) == before


class _Away:
    """A store whose server is gone."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreError(
            "the PostgreSQL server at postgresql://driftguard@10.1.2.3/dg does not answer (timeout)."
        )


def test_nobody_hears_where_the_store_is(home: House) -> None:
    signed_in = home.person("admin")
    kept = home.services.store
    away = create_app(replace(home.services, store=cast("SqlStore", _Away())))
    for client in (home.anybody(), signed_in):
        client.cookies.set("dg_session", "x")
        answer = TestClient(away, base_url=BASE, cookies=dict(client.cookies)).get("/api/v1/findings")
        assert answer.status_code == 503
        assert "postgresql" not in answer.text and "does not answer" in answer.text
    half = Half(kept)
    home.app.state.services = replace(home.services, store=cast("SqlStore", half))
    answer = home.machine("read").get("/api/v1/findings")
    assert answer.status_code == 503 and "postgresql" not in answer.text


class Half:
    """A store whose server goes away after the caller was told."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(_Away() if name == "findings" else self.store, name)


def test_every_answer_carries_the_policy_against_scripts(home: House) -> None:
    for address in ("/", "/nope", "/sign-in", "/static/app.js"):
        policy = (
            home.person("admin")
            .get(address, headers={"accept": "text/html"})
            .headers["content-security-policy"]
        )
        assert "script-src 'self'" in policy and "unsafe" not in policy


@pytest.mark.parametrize(
    ("web", "says"),
    [
        ({"host": "0.0.0.0"}, "no way to tell who they are"),
        (
            {
                "host": "10.0.0.1",
                "oidc": {"issuer": "https://id.example", "client_id": "dg"},
                "grants": [{"role": "viewer", "users": ["*"]}],
            },
            "nothing encrypts",
        ),
        ({"host": "127.0.0.1", "tls_key": "k.pem"}, "belong together"),
        ({"host": "127.0.0.1", "tls_certificate": "no.pem", "tls_key": "k.pem"}, "no.pem cannot be read"),
        ({"tls_certificate": __file__, "tls_key": __file__}, "no pair that TLS can use"),
        (
            {
                "host": "0.0.0.0",
                "behind_proxy": True,
                "oidc": {"issuer": "https://id.example", "client_id": "dg"},
                "grants": [{"role": "viewer", "users": ["*"]}],
            },
            "do not say where we are",
        ),
    ],
)
def test_an_open_door_is_refused(home: House, web: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        refuse_unsafe(WebSettings.model_validate(web), home.store)


def test_a_safe_door_is_not_refused(home: House) -> None:
    refuse_unsafe(WebSettings(), home.store)
    create_token(home.store, name="ci", scopes=["read"], actor="kim")
    refuse_unsafe(WebSettings(host="0.0.0.0", behind_proxy=True), home.store)
