"""An AWS of a few written-down answers, behind botocore's own client, parser and retries."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

Answer = dict[str, Any] | tuple[int, str, str] | Exception | Callable[[dict[str, Any]], Any]
"""A JSON answer, (status, error code, message), what the connection raises, or a function of the request."""

ACCOUNT = "111111111111"
_IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/auditor</Arn><UserId>AIDAEXAMPLE</UserId>
<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class FakeAws:
    """Answers by operation name, each list used up in order and its last one repeated."""

    def __init__(self, account: str = ACCOUNT) -> None:
        self.account = account
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def on(self, operation: str, *answers: Answer) -> FakeAws:
        self.answers[operation].extend(answers)
        return self

    def count(self, operation: str) -> int:
        return sum(name == operation for name, _ in self.calls)

    def session(self) -> Any:
        session = botocore.session.Session()
        session.set_credentials("AKIAEXAMPLE", "secret")
        session.set_config_variable("region", "us-east-1")
        session.register("before-send", self._answer)
        return session

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        operation, parameters = _asked(request)
        self.calls.append((operation, parameters))
        if operation == "GetCallerIdentity" and operation not in self.answers:
            return _response(request, 200, _IDENTITY.format(account=self.account))
        queue = self.answers[operation]
        assert queue, f"no answer is written down for {operation}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer):
            answer = answer(parameters)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            return _response(request, 200, answer)
        if isinstance(answer, tuple):
            status, code, message = answer
            if "X-Amz-Target" in request.headers:
                return _response(request, status, json.dumps({"__type": code, "message": message}))
            text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            return _response(request, status, text)
        return _response(request, 200, json.dumps(answer))


def _asked(request: AWSPreparedRequest) -> tuple[str, dict[str, Any]]:
    target = request.headers.get("X-Amz-Target")
    body = request.body or b""
    if target:
        name = target.decode() if isinstance(target, bytes) else target
        return name.rsplit(".", 1)[-1], json.loads(body or b"{}")
    fields = parse_qs(body.decode() if isinstance(body, bytes) else body)
    return fields["Action"][0], {name: values[0] for name, values in fields.items()}


def _response(request: AWSPreparedRequest, status: int, body: str) -> AWSResponse:
    headers = {"x-amzn-requestid": "fake"}
    return AWSResponse(request.url, status, headers, _Body(body.encode()))
