"""The postman: retried, recorded, never twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import ConfigError, NotifyError
from driftguard.history import open_store
from driftguard.history.store import SqlStore
from driftguard.model import Severity
from driftguard.model.notice import Delivery, DeliveryState, Message, Notice, Transition
from driftguard.notify import Tools, check_channels, send_due, send_test
from driftguard.notify.channel import kinds
from driftguard.notify.channels.pagerduty import events
from driftguard.notify.channels.webhook import signature
from driftguard.notify.http import Answer, Http, refuse
from driftguard.settings.notify import Channel, NotifySettings
from tests.history_values import finding

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
ENVIRON = {"URL": "https://hooks.example.com/x", "KEY": "a-secret-key"}


class Wire:
    """Takes what is posted, and fails as it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.posts: list[tuple[str, bytes, dict[str, str]]] = []

    def post(self, url: str, body: bytes, headers: dict[str, str], *, allow_private: bool = False) -> Answer:
        self.posts.append((url, body, headers))
        if self.failures:
            raise self.failures.pop(0)
        return Answer(status=200, headers={})


def delivery(name: str = "d1", channel: str = "ops", **more: Any) -> Delivery:
    notice = Notice(transition=Transition.NEW, finding=finding("b1", title="<!channel> & more"))
    message = Message(title="", severity=Severity.HIGH, run_id="r1", notices=(notice,))
    return Delivery(id=name, channel=channel, message=message, not_before=NOW, **more)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = open_store(f"sqlite:///{tmp_path}/s.db")
    yield store
    store.close()


def settings(kind: str = "slack") -> NotifySettings:
    channel = {"name": "ops", "kind": kind, "url_env": "URL", "secret_env": "KEY"}
    return NotifySettings.model_validate({"channels": [channel], "max_attempts": 3})


def turn(store: SqlStore, wire: Wire, seconds: float = 0, kind: str = "slack") -> int:
    tools = Tools(http=wire, environ=ENVIRON)  # type: ignore[arg-type]  # the wire stands for Http
    return send_due(store, settings(kind), tools, lambda: NOW + timedelta(seconds=seconds))


def state(store: SqlStore) -> DeliveryState:
    return store.deliveries()[0].state


def test_sent_once(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    wire = Wire()
    assert turn(store, wire, 1) == 1
    assert turn(store, wire, 1000) == 0
    assert len(wire.posts) == 1
    assert b"&lt;!channel&gt; &amp; more" in wire.posts[0][1]


def test_a_refusal_is_retried_later_and_then_given_up(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    wire = Wire(*(NotifyError("503") for _ in range(3)))
    turn(store, wire, 1)
    turn(store, wire, 2)
    assert len(wire.posts) == 1
    turn(store, wire, 100)
    assert state(store) is DeliveryState.PENDING
    turn(store, wire, 1000)
    assert state(store) is DeliveryState.FAILED
    assert store.deliveries()[0].error == "503"


def test_what_may_have_arrived_is_not_sent_again(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    wire = Wire(NotifyError("broke off", uncertain=True))
    turn(store, wire, 1)
    turn(store, wire, 10_000)
    assert state(store) is DeliveryState.UNCERTAIN
    assert len(wire.posts) == 1


def test_a_receiver_that_knows_the_delivery_gets_it_again(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    wire = Wire(NotifyError("broke off", uncertain=True))
    turn(store, wire, 1, "webhook")
    turn(store, wire, 100, "webhook")
    assert state(store) is DeliveryState.SENT
    assert [headers["Idempotency-Key"] for _, _, headers in wire.posts] == ["d1", "d1"]


def test_a_sender_that_was_killed_does_not_send_twice(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    store.take_deliveries(NOW, 60)  # and then nothing more is heard of it
    wire = Wire()
    turn(store, wire, 1000)
    assert wire.posts == []
    assert state(store) is DeliveryState.UNCERTAIN


def test_one_channel_does_not_hold_up_another(store: SqlStore) -> None:
    store.enqueue([delivery("d1", "gone"), delivery("d2")], NOW)
    assert turn(store, Wire(), 1) == 1


def test_the_webhook_is_signed(store: SqlStore) -> None:
    store.enqueue([delivery()], NOW)
    wire = Wire()
    turn(store, wire, 1, "webhook")
    _, body, headers = wire.posts[0]
    at = int(headers["X-Driftguard-Signature"].split(",")[0][2:])
    assert headers["X-Driftguard-Signature"] == signature("a-secret-key", body, at)
    assert json.loads(body)["findings"][0]["transition"] == "new"


def test_pagerduty_resolves_what_it_opened() -> None:
    channel = Channel(name="pd", kind="pagerduty", secret_env="KEY")
    opened = delivery()
    one = opened.message.notices[0].finding
    closed = Message(
        title="", severity=Severity.LOW, notices=(Notice(transition=Transition.RESOLVED, finding=one),)
    )
    first = events(opened, channel, "")[0]
    last = events(Delivery(id="d2", channel="pd", message=closed, not_before=NOW), channel, "")[0]
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"]


@pytest.mark.parametrize("kind", [k for k in kinds() if k not in ("securityhub", "opscenter")])
def test_a_channel_that_lacks_something_says_what(kind: str) -> None:
    with pytest.raises(ConfigError, match="needs"):
        check_channels([Channel(name="x", kind=kind)])


def test_apprise_takes_only_schemes_of_the_list() -> None:
    channel = Channel.model_validate({"name": "x", "kind": "apprise", "url": "json://169.254.169.254/"})
    with pytest.raises(ConfigError, match="not allowed"):
        check_channels([channel])
    with pytest.raises(ConfigError, match="not allowed"):
        send_test(Channel(name="x", kind="apprise", url_env="U"), Tools(environ={"U": "exec://rm"}), NOW)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fd00:ec2::254", "::ffff:10.0.0.1",
     "0.0.0.0", "100.64.0.1", "224.0.0.1", "fe80::1", "64:ff9b::a00:1"],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    with pytest.raises(NotifyError, match="inside"):
        refuse(address, "x", False)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "127.0.0.1", "::ffff:169.254.169.254"]
)
def test_metadata_and_loopback_are_refused_even_where_private_is_allowed(address: str) -> None:
    with pytest.raises(NotifyError, match="inside"):
        refuse(address, "x", True)


def test_addresses_outside_and_allowed_private_ones_pass() -> None:
    refuse("93.184.216.34", "x", False)
    refuse("10.0.0.1", "x", True)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "file:///etc/passwd", "https://user:pw@example.com/", "https:///x", "https://[x"],
)
def test_only_plain_https_addresses(url: str) -> None:
    with pytest.raises(NotifyError):
        Http(resolver=lambda host, port: ["93.184.216.34"]).post(url, b"", {})


def test_every_address_of_a_name_is_judged() -> None:
    http = Http(resolver=lambda host, port: ["93.184.216.34", "10.0.0.1"])
    with pytest.raises(NotifyError, match="inside"):
        http.post("https://rebinding.example.com/", b"", {})
