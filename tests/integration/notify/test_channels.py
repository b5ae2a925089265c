"""Each kind of channel against a receiver of its own: what arrives, and what is made of a refusal."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from driftguard.aws import Aws
from driftguard.errors import NotifyError
from driftguard.model import ChangedBy, Severity
from driftguard.model.notice import Delivery, Message, Notice, Transition
from driftguard.notify import Tools
from driftguard.notify.channel import channel_module, kinds
from driftguard.notify.channels import email
from driftguard.notify.channels.webhook import signature
from driftguard.sandbox import Sandbox
from driftguard.settings import Settings
from driftguard.settings.notify import Channel
from tests.history_values import finding, night
from tests.tls_receiver import Post, Receiver, certify, receiver

REGION = "us-east-1"
KIM = ChangedBy(
    principal="arn:aws:iam::111111111111:user/kim", event="PutBucketVersioning", time=night(0), source="CLI"
)


def delivery() -> Delivery:
    opened = finding("archive", title="archive <b>differs</b>", changed_by=KIM)
    gone = finding("old", "/Tags", title="old differs")
    notices = (
        Notice(transition=Transition.NEW, finding=opened),
        Notice(transition=Transition.RESOLVED, finding=gone),
    )
    message = Message(title="", severity=Severity.HIGH, run_id="r1", cause="kim", notices=notices)
    return Delivery(
        id="d" * 20, channel="ops", message=message, not_before=datetime(2026, 11, 21, tzinfo=UTC)
    )


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("tls")) as made:
        yield made


def send(hooks: Receiver, kind: str, status: int = 200, **more: Any) -> list[Post]:
    hooks.posts.clear()
    hooks.status = status
    channel = Channel(name="ops", kind=kind, secret_env="KEY", **({"url": hooks.url} | more))
    module = channel_module(channel)
    module.check(channel)
    tools = Tools(http=hooks.http, environ={"KEY": "secret"}, link="https://drift.example.com")
    module.send(channel, delivery(), tools)
    return hooks.posts


def slack(posts: list[Post]) -> None:
    (post,) = posts
    text = json.loads(post.body)["text"]
    assert "archive &lt;b&gt;differs" in text and "user/kim" in text and "https://drift.example.com" in text


def teams(posts: list[Post]) -> None:
    (post,) = posts
    (attachment,) = json.loads(post.body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "user/kim" in json.dumps(attachment["content"]["body"])


def pagerduty(posts: list[Post]) -> None:
    sent = [json.loads(post.body) for post in posts]
    assert [one["event_action"] for one in sent] == ["trigger", "resolve"]
    assert {one["routing_key"] for one in sent} == {"secret"} and len({one["dedup_key"] for one in sent}) == 2


def webhook(posts: list[Post]) -> None:
    (post,) = posts
    stamp = post.headers["x-driftguard-signature"]
    at = int(stamp.split(",")[0].removeprefix("t="))
    assert stamp == signature("secret", post.body, at) != signature("another", post.body, at)
    assert post.headers["idempotency-key"] == json.loads(post.body)["id"] == "d" * 20


def jira(posts: list[Post]) -> None:
    (post,) = posts
    assert post.path == "/rest/api/2/issue"
    assert base64.b64decode(post.headers["authorization"].removeprefix("Basic ")) == b"bot:secret"
    fields = json.loads(post.body)["fields"]
    assert fields["project"] == {"key": "OPS"} and "user/kim" in fields["description"]


HTTPS: dict[str, tuple[Callable[[list[Post]], None], dict[str, Any]]] = {
    "slack": (slack, {}),
    "teams": (teams, {}),
    "pagerduty": (pagerduty, {}),
    "webhook": (webhook, {}),
    "jira": (jira, {"target": "OPS", "user": "bot"}),
}


def test_every_kind_has_a_receiver_here() -> None:
    assert {*HTTPS, "email", "apprise", "sns", "eventbridge", "opscenter", "securityhub"} == set(kinds())


@pytest.mark.parametrize("kind", HTTPS)
def test_over_https(hooks: Receiver, kind: str) -> None:
    judge, more = HTTPS[kind]
    judge(send(hooks, kind, **more))


@pytest.mark.parametrize(("status", "final"), [(500, False), (429, False), (403, True), (302, True)])
@pytest.mark.parametrize("kind", HTTPS)
def test_a_refusal_says_whether_to_try_again(hooks: Receiver, kind: str, status: int, final: bool) -> None:
    with pytest.raises(NotifyError) as caught:
        send(hooks, kind, status, **HTTPS[kind][1])
    assert caught.value.final is final and not caught.value.uncertain
    assert "secret" not in str(caught.value)
    assert {post.path for post in hooks.posts} != {"/elsewhere"}, "no redirect is followed"


def test_a_certificate_of_somebody_else_gets_nothing(hooks: Receiver, tmp_path: Path) -> None:
    other, _ = certify(tmp_path, "hooks.example")
    hooks.posts.clear()
    http = type(hooks.http)(ca_certs=str(other))
    with pytest.raises(NotifyError) as caught:
        http.post(hooks.url, b"{}", {})
    assert not caught.value.uncertain and hooks.posts == []


class Mail(socketserver.StreamRequestHandler):
    """A mail server that insists on TLS and on a name."""

    def handle(self) -> None:
        self.say("220 mail.example")
        secure = known = False
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "EHLO":
                self.say("250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS")
            elif word == "STARTTLS":
                self.say("220 go on")
                self.request = self.server.context.wrap_socket(self.request, server_side=True)  # type: ignore[attr-defined]
                self.rfile, self.wfile, secure = (
                    self.request.makefile("rb"),
                    self.request.makefile("wb", 0),
                    True,
                )
            elif word == "AUTH":
                known = secure and base64.b64decode(line.split()[2]) == b"\0bot\0secret"
                self.say("235 welcome" if known else "535 no")
            elif word == "DATA" and known:
                self.say("354 write")
                lines = []
                while (row := self.rfile.readline()) != b".\r\n":
                    lines.append(row)
                self.server.mails.append(b"".join(lines))  # type: ignore[attr-defined]
                self.say("250 taken")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 yes" if known else "530 who are you")

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")


def test_by_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = certify(tmp_path, "localhost")
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail)
    server.context, server.mails = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []  # type: ignore[attr-defined]
    server.context.load_cert_chain(certificate, key)  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(email, "refuse", lambda *_: None)  # the real one never allows this machine
    more = {"target": "drift@example.com", "recipients": ("ops@example.com",), "secret_env": "KEY"}
    url = f"smtp://localhost:{server.server_address[1]}"
    try:
        tools = Tools(environ={"KEY": "secret"}, link="https://drift.example.com")
        email.send(Channel(name="ops", kind="email", url=url, user="bot", **more), delivery(), tools)
        (sent,) = (message_from_bytes(raw) for raw in server.mails)  # type: ignore[attr-defined]
        assert "1 new, 1 resolved" in sent["Subject"] and sent["To"] == "ops@example.com"
        assert "user/kim" in sent.get_payload()
        with pytest.raises(NotifyError) as caught:
            email.send(Channel(name="ops", kind="email", url=url, user="nobody", **more), delivery(), tools)
        assert caught.value.final and "secret" not in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()


def test_apprise_goes_to_the_host_of_its_service_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().split()[1])
            self.wfile.write(b"HTTP/1.1 502 no\r\ncontent-length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        url = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
        channel = Channel(name="ops", kind="apprise", url=url)
        with pytest.raises(NotifyError) as caught:
            channel_module(channel).send(channel, delivery(), Tools())
        server.shutdown()
    assert set(asked) == {"hooks.slack.com:443"}
    assert caught.value.uncertain and "TIiajkdn" not in str(caught.value)


@pytest.fixture
def aws(sandbox: Sandbox) -> Tools:
    settings = Settings.model_validate({"scope": {"regions": [REGION]}})
    made = Aws(settings.aws, settings.scope, session_factory=lambda: sandbox.session(region=REGION))
    return Tools(aws=made, link="https://drift.example.com")


def test_to_an_sns_topic(sandbox: Sandbox, aws: Tools) -> None:
    sns, sqs = (sandbox.session(region=REGION).client(name) for name in ("sns", "sqs"))
    topic, queue = sns.create_topic(Name="drift")["TopicArn"], sqs.create_queue(QueueName="in")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    channel = Channel(name="ops", kind="sns", target=topic)
    channel_module(channel).send(channel, delivery(), aws)
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    body = json.loads(message["Body"])
    assert "user/kim" in body["Message"] and body["MessageAttributes"]["severity"]["Value"] == "HIGH"


def test_to_an_event_bus(sandbox: Sandbox) -> None:
    sent: list[dict[str, Any]] = []
    session = sandbox.session(region=REGION)
    session.events.register(
        "before-parameter-build.events.PutEvents", lambda params, **_: sent.append(params)
    )
    session.client("events").create_event_bus(Name="drift")
    settings = Settings.model_validate({"scope": {"regions": [REGION]}})
    tools = Tools(aws=Aws(settings.aws, settings.scope, session_factory=lambda: session))
    channel = Channel(name="ops", kind="eventbridge", target="drift")
    assert channel_module(channel).send(channel, delivery(), tools) == "2 events"
    (asked,) = sent
    assert [(one["EventBusName"], one["Source"], one["DetailType"]) for one in asked["Entries"]] == [
        ("drift", "driftguard", "Finding new"),
        ("drift", "driftguard", "Finding resolved"),
    ]
    assert json.loads(asked["Entries"][0]["Detail"])["finding"]["changed_by"].endswith("user/kim")


def test_an_ops_item_is_made_once(sandbox: Sandbox, aws: Tools) -> None:
    channel = Channel(name="ops", kind="opscenter")
    module, ssm = channel_module(channel), sandbox.session(region=REGION).client("ssm")
    module.send(channel, delivery(), aws)
    module.send(channel, delivery(), aws)
    (item,) = ssm.describe_ops_items()["OpsItemSummaries"]
    assert item["Severity"] == "2" and item["Source"] == "driftguard"
