"""The door of the sandbox: one WSGI application in front of everything.

Every request is identified (service, operation, account, principal), may be struck by a fault rule, goes
to the sandbox's own operation or else to moto in this process, and is written into the trail if it changed
something.  Moto's CloudFormation, Config, Cloud Control and STS are never reached: the sandbox owns those
services whole, and what it lacks of them is refused loudly like anything else unknown.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import sleep
from typing import Any
from urllib.parse import parse_qsl

import botocore.config
import botocore.session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from driftguard.sandbox import answer, control, faults, pages, protocol, trail
from driftguard.sandbox.core import OPERATIONS, ApiError, Context, World, current_call
from driftguard.sandbox.identity import Directory, user
from driftguard.sandbox.loopback import INTERNAL, CutConnectionError, Loopback, new_session
from driftguard.sandbox.reads import Reads, only_reads

log = logging.getLogger("driftguard.sandbox")

OWNED = frozenset({"cloudformation", "cloudcontrol", "config"})
"""Services of which moto is never asked anything."""

_MISTAKEN = re.compile(
    r"Analytics|IntelligentTiering|Metadata|Metrics|Abac|RequestPayment|Annotation|Torrent|CreateSession|"
    r"RenameObject|UpdateObjectEncryption|DirectoryBuckets|GetObjectRetention|WriteGetObjectResponse"
)
"""Operations of S3 that moto does not know and takes for others, such as ListObjects."""

_CREDENTIAL = re.compile(r"(?:Credential=|X-Amz-Credential=)([^/&]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_BUCKET_HOST = re.compile(r"^(?P<bucket>.+?)\.s3(?!-control)(?:[.-][a-z0-9-]+)*\.amazonaws\.com")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as it came in."""

    http: HttpRequest
    body: bytes
    context: Context
    internal: bool
    known: bool
    """Whether botocore knows the operation."""


class _Moto(DomainDispatcherApplication):
    """Moto as a WSGI application that says NotImplementedError for a service it does not have."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """The backend for a host name such as ``sqs.us-east-1.amazonaws.com``, looked for once."""
        if host not in self._backends:
            self._backends[host] = self._find_backend(host)
        return self._backends[host]

    def _find_backend(self, host: str | None) -> Any:
        if host and "amazonaws.com" in host:
            known = any(pattern.match(f"http://{host}") for _, pattern in self.backend_url_patterns)
            if not known:
                raise NotImplementedError(host)
        return super().get_backend_for_host(host)


class Gateway:
    """The WSGI application; also the maker of the sandbox's own boto3 clients."""

    def __init__(self, world: World, directory: Directory, rules: faults.Faults) -> None:
        self.world = world
        self.faults = rules
        self._directory = directory
        self._moto = _Moto()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._reads = Reads(world)
        self._sessions: dict[str, botocore.session.Session] = {}
        self.unknown: list[str] = []
        """``service:operation`` of every call that nobody could answer, in order."""
        world.clients, world.faults = self.client, rules

    def client(self, service: str, *, account: str, region: str) -> Any:
        """A boto3 client for the sandbox's own use: acts in ``account`` for the call being served."""
        key = (service, account, region)
        with self.world.lock:
            if key not in self._clients:
                config = botocore.config.Config(
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                    parameter_validation=True,
                )
                client: Any = self._session(account).create_client(service, region_name=region, config=config)
                client._make_api_call = self._reads.through(client._make_api_call, service, account, region)
                self._clients[key] = client
            return self._clients[key]

    def _session(self, account: str) -> botocore.session.Session:
        if account not in self._sessions:
            session = new_session()
            session.set_credentials(account, "internal")
            loopback = Loopback(self, internal_account=account)
            session.get_component("event_emitter").register_first("before-send", loopback)
            self._sessions[account] = session
        return self._sessions[account]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request (PEP 3333).

        No AWS client sends an Origin, and every page of a browser does that calls another site: a page must
        not reach a server that runs scripts for whoever asks.
        """
        if environ.get("HTTP_ORIGIN"):
            refusal = HttpResponse(
                "The local AWS does not answer web pages.\n", 403, content_type="text/plain"
            )
            return refusal(environ, start_response)
        if str(environ.get("PATH_INFO", "")).startswith("/_sandbox"):
            response = control.serve(self, HttpRequest(environ))
        else:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length) if length else _unsized_body(environ)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            response = self._serve(environ, body)
        return response(environ, start_response)

    def _serve(self, environ: dict[str, Any], body: bytes) -> HttpResponse:
        http = HttpRequest({**environ, "wsgi.input": io.BytesIO(body)})
        signed = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", "")) or _CREDENTIAL.search(
            str(environ.get("QUERY_STRING", "")).replace("%2F", "/")
        )
        if signed is None:
            with self.world.lock:
                self.world.changes += 1
                return HttpResponse.from_app(self._moto, environ)
        call = self._identify(http, body, *signed.groups(), account=environ.get(INTERNAL))
        text = f"{http.path}?{http.query_string.decode('latin-1')} {body[:20_000].decode('latin-1')}"
        rules: list[faults.Rule] = []
        failed: ApiError | None = None
        try:
            if not call.internal:
                self._settle_principal(call.context)
            rules = self.faults.strike(call.context, text, internal=call.internal)
            self._before(rules, call)
            response = pages.distort(rules, call.context, http, body) or self._answer(call, environ)
        except ApiError as error:
            failed = error
            response = _as_http(answer.failure(call.context, error))
        if not call.internal or not failed:
            trail.record(call.context, http, body, response, failed)
        return _after(rules, response)

    def _identify(
        self,
        http: HttpRequest,
        body: bytes,
        access_key: str,
        region: str,
        signing: str,
        *,
        account: str | None,
    ) -> Call:
        form = dict(http.args)
        if "urlencoded" in (http.content_type or ""):
            form |= dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        path = _path(http)
        service = protocol.service_of(signing, path, http.host, form)
        try:
            name = protocol.operation_of(
                service,
                method=http.method,
                path=path,
                query=http.args,
                target=http.headers.get("X-Amz-Target", ""),
                action=form.get("Action", ""),
            )
            known = True
        except protocol.UnknownOperationError as error:
            name, known = str(error), False
        outer = current_call() if account else None
        context = Context(
            world=self.world,
            account=account or "",
            region=region,
            service=service,
            operation=name,
            principal=outer.principal if outer else user(account or self.world.accounts[0], "sandbox"),
            access_key=outer.access_key if outer else access_key,
            user_agent=http.headers.get("User-Agent", ""),
            source_ip=http.remote_addr or "127.0.0.1",
            endpoint="" if http.host.endswith("amazonaws.com") else http.host_url.rstrip("/"),
        )
        return Call(http=http, body=body, context=context, internal=account is not None, known=known)

    def _before(self, rules: list[faults.Rule], call: Call) -> None:
        for rule in rules:
            if rule.kind == "latency":
                sleep(float(rule.arguments.get("seconds", 1.0)))
            elif rule.kind in ("timeout", "reset"):
                seconds = float(rule.arguments.get("seconds", 3600.0))
                raise CutConnectionError(timeout=rule.kind == "timeout", seconds=seconds)
            elif refusal := faults.refusal(rule, call.context):
                raise refusal

    def _settle_principal(self, context: Context) -> None:
        """Look the caller up; a key that is known but expired is refused here."""
        principal = self._directory.principal_of(context.access_key)
        # The context is frozen for those who receive it; it is completed here, before anybody does.
        object.__setattr__(context, "principal", principal)
        object.__setattr__(context, "account", principal.account)

    def _answer(self, call: Call, environ: dict[str, Any]) -> HttpResponse:
        context = call.context
        handler = OPERATIONS.get((context.service, context.operation))
        if handler is None:
            mistaken = context.service == "s3" and _MISTAKEN.search(context.operation)
            if context.service in OWNED or not call.known or mistaken:
                raise self._not_simulated(context)
            return self._ask_moto(context, environ)
        try:
            request = protocol.parse(
                context.service,
                context.operation,
                body=call.body,
                path=_path(call.http),
                query=call.http.args,
            )
            with self.world.lock, context.acting() as acting, self._counted(context):
                result = handler(acting, request) or {}
            return _as_http(answer.success(context, result))
        except ApiError:
            raise
        except Exception as error:
            # A bug in an operation of the sandbox is a 500 of its protocol, and loud in the log.
            log.exception("operation failed", extra={"operation": f"{context.service}:{context.operation}"})
            text = f"sandbox: {type(error).__name__}: {error}"
            raise ApiError("InternalFailure", text, status=500, server_fault=True) from error

    def _ask_moto(self, context: Context, environ: dict[str, Any]) -> HttpResponse:
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = context.account
        with self.world.lock, self._counted(context):
            try:
                response = HttpResponse.from_app(self._moto, environ, buffered=True)
            except NotImplementedError as error:
                raise self._not_simulated(context) from error
            data = response.get_data()
        # Moto's Flask applications answer a page, not an AWS error, where they do not know the operation.
        if response.status_code in (404, 500) and data[:15].lower() == b"<!doctype html>":
            raise self._not_simulated(context)
        if data == b"Not yet implemented":
            raise self._not_simulated(context)
        return response

    @contextmanager
    def _counted(self, context: Context) -> Iterator[None]:
        """A call that may change something counts, however it ends: what was read before is old then."""
        try:
            yield
        finally:
            if not only_reads(context.operation):
                self.world.changes += 1

    def _not_simulated(self, context: Context) -> ApiError:
        name = f"{context.service}:{context.operation}"
        self.unknown.append(name)
        log.error("operation is not simulated", extra={"operation": name})
        return ApiError(
            "NotImplemented", f"{name} is not simulated by the sandbox", status=501, server_fault=True
        )


def _unsized_body(environ: dict[str, Any]) -> bytes:
    """A chunked request body; empty where there is none."""
    if "chunked" not in str(environ.get("HTTP_TRANSFER_ENCODING", "")) or not environ.get(
        "wsgi.input_terminated"
    ):
        return b""
    body = environ["wsgi.input"].read()
    assert isinstance(body, bytes)
    return body


def _path(http: HttpRequest) -> str:
    """The path still quoted; with the bucket where S3 has it in the host name."""
    raw = http.environ.get("RAW_URI") or http.environ.get("REQUEST_URI") or http.path
    path = str(raw).partition("?")[0]
    found = _BUCKET_HOST.match(http.host)
    return f"/{found['bucket']}{path}" if found else path


def _as_http(result: answer.Answer) -> HttpResponse:
    return HttpResponse(result.body, status=result.status, headers=result.headers)


def _after(rules: list[faults.Rule], response: HttpResponse) -> HttpResponse:
    for rule in rules:
        if rule.kind == "garbage":
            response.set_data(response.get_data()[: int(rule.arguments.get("keep", 20))])
    return response
