"""What every service of the sandbox is made of: errors, calls, state, pages.

A service is a module that registers operations::

    @operation("config", "DescribeConfigurationRecorders")
    def describe_recorders(context: Context, request: Request) -> Response:
        return {"ConfigurationRecorders": list(context.store("config.recorders").values())}

``request`` and the answer have the shapes of boto3: what a caller passes to ``client.describe_...`` and
what it gets back.  Every module below ``driftguard.sandbox`` is imported when the sandbox starts, so a
new file registers itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from driftguard.sandbox.clock import Clock

if TYPE_CHECKING:
    from driftguard.sandbox.faults import Faults

Request = dict[str, Any]
Response = dict[str, Any]
T = TypeVar("T")


class ApiError(Exception):
    """An error as AWS answers it.

    ``code`` is the wire code or the name of the modelled exception; ``status`` counts only where the
    service model has no status for that code.  ``fields`` are further members of the modelled exception.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, server_fault: bool = False, **fields: Any
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.server_fault = server_fault
        self.fields = fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who calls.  ``kind`` is CloudTrail's userIdentity type: IAMUser, AssumedRole, Root, AWSService."""

    arn: str
    account: str
    kind: str = "IAMUser"
    principal_id: str = "AIDASANDBOXUSER00000"
    role_arn: str | None = None
    invoked_by: str | None = None
    """The service that calls on behalf of the principal, such as ``cloudformation.amazonaws.com``."""

    @property
    def name(self) -> str:
        """User name, or session name of an assumed role: CloudTrail's Username."""
        return self.arn.rsplit("/", 1)[-1] if "/" in self.arn else "root"


class Clients(Protocol):
    """Where a service gets boto3 clients of the sandbox itself."""

    def __call__(self, service: str, *, account: str, region: str) -> Any:
        """A boto3 client of ``service`` that acts inside ``account`` and ``region``."""


class World:
    """Everything the sandbox remembers: one state store per name, account and region, and the clock.

    ``timing`` holds how long asynchronous things take, in seconds of the clock: ``drift`` (a detection),
    ``scan`` (a resource scan), and what other services put there.  ``lock`` serialises all calls, since
    moto's state is global to the process and not made for threads; whoever waits must not hold it.
    ``changes`` counts the calls served so far that may have changed something, under the lock.
    """

    def __init__(self, accounts: Sequence[str], clock: Clock, regions: Sequence[str]) -> None:
        self.accounts = list(accounts)
        self.regions = list(regions)
        self.clock = clock
        self.lock = threading.RLock()
        self.timing: dict[str, float] = defaultdict(float)
        self.clients: Clients | None = None
        self.faults: Faults | None = None
        self.changes = 0
        self._stores: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)

    def store(self, name: str, account: str, region: str) -> dict[str, Any]:
        """The mutable store called ``name`` of one account and region, empty at first."""
        return self._stores[(name, account, region)]

    def stores(self, name: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """All stores called ``name``, with their account and region."""
        for (found, account, region), content in list(self._stores.items()):
            if found == name:
                yield account, region, content

    def reset(self) -> None:
        """Forget everything but the clock."""
        self._stores.clear()
        self.timing.clear()
        self.changes += 1


@dataclass(frozen=True, kw_only=True)
class Context:
    """One call: where it goes, who makes it, and the way to the sandbox's state and to other services."""

    world: World
    account: str
    region: str
    service: str
    operation: str
    principal: Principal
    access_key: str = ""
    user_agent: str = ""
    source_ip: str = "127.0.0.1"
    endpoint: str = ""
    """Base address of the server as the caller reached it; empty in process."""
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return partition_of(self.region)

    @property
    def clock(self) -> Clock:
        """The sandbox's clock."""
        return self.world.clock

    def store(self, name: str) -> dict[str, Any]:
        """The store ``name`` of this account and region."""
        return self.world.store(name, self.account, self.region)

    def client(self, service: str, *, region: str | None = None, account: str | None = None) -> Any:
        """A boto3 client; what it does is recorded as done by this principal through this service."""
        assert self.world.clients is not None, "the gateway provides clients"
        return self.world.clients(service, account=account or self.account, region=region or self.region)

    def at(self, *, account: str | None = None, region: str | None = None) -> Context:
        """The same call, moved to another account or region."""
        return replace(self, account=account or self.account, region=region or self.region)

    @contextmanager
    def acting(self, principal: Principal | None = None) -> Iterator[Context]:
        """Make internal clients act as this call (in a thread of one's own: enter it there)."""
        acting = replace(self, principal=principal or self.principal)
        token = _current.set(acting)
        try:
            yield acting
        finally:
            _current.reset(token)


_current: ContextVar[Context | None] = ContextVar("sandbox_call", default=None)


def current_call() -> Context | None:
    """The call on whose behalf this thread works, if there is one."""
    return _current.get()


def partition_of(region: str) -> str:
    """The partition that ``region`` belongs to."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


EMPTY_PAGE = "empty-page"
"""A token that stands for the first page: what a page that a fault rule emptied goes on with."""

Listener = Callable[[Context, Mapping[str, Any]], None]
LISTENERS: list[Listener] = []
"""Who hears of events of AWS services, each in the members of EventBridge's PutEvents."""


def announce(context: Context, *, source: str, kind: str, detail: Mapping[str, Any]) -> None:
    """Tell the listeners that a service of AWS has an event: its source, detail-type and detail."""
    entry = {"Source": source, "DetailType": kind, "Detail": json.dumps(detail, default=str)}
    for listener in LISTENERS:
        listener(context, entry)


Operation = Callable[[Context, Request], Response | None]
OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(service: str, *names: str) -> Callable[[Operation], Operation]:
    """Register a function for operations of ``service`` (boto3's client name, API operation names)."""

    def register(function: Operation) -> Operation:
        for name in names:
            assert (service, name) not in OPERATIONS, f"{service}:{name} is registered twice"
            OPERATIONS[(service, name)] = function
        return function

    return register


def paginate(
    items: Sequence[T],
    request: Request,
    *,
    limit: str | None = None,
    default: int = 100,
    token: str = "NextToken",
    invalid: tuple[str, str] = ("ValidationError", "Invalid next token."),
) -> tuple[list[T], dict[str, str]]:
    """One page of ``items`` and, where more follow, ``{token: ...}`` to add to the answer.

    ``limit`` and ``token`` name members of the request, ``default`` is the page size if none is asked
    for.  A token is opaque and holds only for a request with the same other members; any other raises
    ``ApiError(*invalid)``.
    """
    asked = sorted((k, repr(v)) for k, v in request.items() if k not in (limit, token))
    seal = hashlib.sha256(repr(asked).encode()).hexdigest()[:12]
    start = 0
    if (given := request.get(token)) and given != EMPTY_PAGE:
        try:
            text = base64.urlsafe_b64decode(str(given).encode()).decode()
            position, _, found = text.partition(":")
            start = int(position)
        except (ValueError, binascii.Error) as error:
            raise ApiError(*invalid) from error
        if found != seal:
            raise ApiError(*invalid)
    size = int((request.get(limit) if limit else None) or default)
    page = list(items[start : start + size])
    if start + size >= len(items):
        return page, {}
    return page, {token: base64.urlsafe_b64encode(f"{start + size}:{seal}".encode()).decode()}
