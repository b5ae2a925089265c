"""boto3 without a socket: requests go straight into the gateway of this process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import botocore.loaders
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from werkzeug.test import EnvironBuilder, run_wsgi_app

_LOADER = botocore.loaders.Loader()
"""One for all sessions: each reads service models of megabytes otherwise."""

INTERNAL = "driftguard.sandbox.internal"
"""WSGI key that marks a call which the sandbox makes itself; its value is the account it acts in."""


def new_session() -> botocore.session.Session:
    """A botocore session that shares its service models with all others of the sandbox."""
    session = botocore.session.Session()
    session.register_component("data_loader", _LOADER)
    return session


class CutConnectionError(Exception):
    """A fault rule cuts the connection: ``timeout`` says whether the caller waits or is hung up on."""

    def __init__(self, *, timeout: bool, seconds: float = 0.0) -> None:
        super().__init__("timeout" if timeout else "reset")
        self.timeout = timeout
        self.seconds = seconds


class _Body(io.BytesIO):
    """A response body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        while chunk := self.read(65536):
            yield chunk


class Loopback:
    """A botocore ``before-send`` handler that answers in place of the network."""

    def __init__(self, application: Any, *, internal_account: str | None = None) -> None:
        self._application = application
        self._internal_account = internal_account

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        body: Any = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        given: Any = request.headers
        headers = [
            (name, value.decode() if isinstance(value, bytes) else str(value))
            for name, value in given.items()
            if name.lower() != "transfer-encoding"
        ]
        environ = EnvironBuilder(
            method=request.method,
            base_url=f"{url.scheme}://{url.netloc}",
            path=unquote(url.path or "/"),
            query_string=url.query,
            data=body.encode() if isinstance(body, str) else bytes(body),
            headers=headers,
        ).get_environ()
        environ["RAW_URI"] = environ["REQUEST_URI"] = url.path + (f"?{url.query}" if url.query else "")
        if self._internal_account:
            environ[INTERNAL] = self._internal_account
        try:
            chunks, status, answer_headers = run_wsgi_app(self._application, environ)
        except CutConnectionError as cut:
            if cut.timeout:
                raise ReadTimeoutError(endpoint_url=request.url) from cut
            raise ConnectionClosedError(endpoint_url=request.url) from cut
        content = b"".join(chunks)
        received: Any = dict(answer_headers)
        return AWSResponse(request.url, int(status.split()[0]), received, _Body(content))
