"""Any HTTPS endpoint: JSON, signed with HMAC-SHA256 over ``TIMESTAMP.BODY``.

``X-Driftguard-Signature: t=UNIX,v1=HEX``, ``Idempotency-Key`` is the delivery's id: a receiver that remembers
it takes a repeated delivery once.
"""

from __future__ import annotations

import hashlib
import hmac
import time

import orjson

from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import document
from driftguard.settings.notify import Channel

IDEMPOTENT = True


def check(channel: Channel) -> None:
    need(channel, url_env=channel.url or channel.url_env, secret_env=channel.secret_env)


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    body = orjson.dumps({"id": delivery.id, **document(delivery.message, channel.language, tools.link)})
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": delivery.id,
        "X-Driftguard-Signature": signature(tools.secret(channel), body, int(time.time())),
    }
    answer = tools.http.post(tools.url(channel), body, headers, allow_private=channel.allow_private)
    return str(answer.status)


def signature(secret: str, body: bytes, at: int) -> str:
    """The value of the signature header."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
