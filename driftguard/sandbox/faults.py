"""Things that go wrong on purpose, by rule."""

from __future__ import annotations

import fnmatch
import itertools
import random
import threading
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox.clock import Clock
from driftguard.sandbox.core import ApiError, Context
from driftguard.sandbox.protocol import protocol_of

KINDS = (
    "throttle",  # the service's own throttling error
    "rate",  # the same, beyond a token bucket of rate= per second and burst= per account and region
    "deny",  # the service's own access-denied error
    "error",  # code=, message=, status=
    "http",  # a 5xx: status=
    "expired",  # ExpiredToken
    "timeout",  # no answer: seconds=
    "reset",  # the connection is cut
    "latency",  # seconds=, then the normal answer
    "garbage",  # the answer is cut after keep= bytes
    "empty_pages",  # pages without items but with a token, before the real ones
    "repeated_pages",  # the same page with the same token for ever
    "stuck_detection",  # a drift detection that never ends
    "failed_detection",  # a drift detection that fails for some resources: resources=[logical ids]
    "unreadable",  # an internal read of resource= fails: seen as a partial failure of a detection
)


@dataclass
class Rule:
    """When, and what.  ``service``, ``operation``, ``region``, ``account`` are globs, ``resource`` a glob
    over the whole request.  Of the calls that match, the first ``skip`` pass, then every ``every``-th is
    hit, with ``probability``, at most ``times`` times."""

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    account: str = "*"
    resource: str | None = None
    times: int | None = None
    skip: int = 0
    every: int = 1
    probability: float = 1.0
    internal: bool = False
    """Whether calls that the sandbox's own services make are hit too."""
    arguments: dict[str, Any] = field(default_factory=dict)
    id: int = field(default_factory=itertools.count(1).__next__)
    seen: int = 0
    fired: int = 0


class Faults:
    """The rules in force, in the order in which they were added."""

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self._clock = clock
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._lock = threading.Lock()
        self._buckets: dict[tuple[int, str, str], tuple[float, float]] = {}
        self.rules: list[Rule] = []

    def add(self, kind: str, **settings: Any) -> Rule:
        """Add a rule of one of :data:`KINDS`; what is no field of a rule becomes an argument of its kind."""
        if kind not in KINDS:
            raise ValueError(f"unknown kind of fault {kind!r}; there are: {', '.join(KINDS)}")
        own = {k: v for k, v in settings.items() if k in Rule.__dataclass_fields__}
        rest = {k: v for k, v in settings.items() if k not in own}
        rule = Rule(kind, **own)
        rule.arguments.update(rest)
        with self._lock:
            self.rules.append(rule)
        return rule

    def remove(self, rule_id: int) -> None:
        """Take a rule out of force."""
        with self._lock:
            self.rules = [rule for rule in self.rules if rule.id != rule_id]

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self.rules.clear()
            self._buckets.clear()
            self._random = random.Random(self._seed)  # noqa: S311

    def strike(
        self, context: Context, text: str, *, internal: bool = False, kinds: tuple[str, ...] = ()
    ) -> list[Rule]:
        """The rules that hit this call; counts it.  ``text`` is what resource globs are matched with."""
        if not self.rules:
            return []
        with self._lock:
            return [rule for rule in self.rules if self._hits(rule, context, text, internal, kinds)]

    def _hits(self, rule: Rule, context: Context, text: str, internal: bool, kinds: tuple[str, ...]) -> bool:
        asked_for = rule.kind in kinds if kinds else not rule.kind.endswith("_detection")
        if not asked_for or internal not in (
            (True,) if rule.kind == "unreadable" else (False, rule.internal)
        ):
            return False
        places = (
            (context.service, rule.service),
            (context.operation, rule.operation),
            (context.region, rule.region),
            (context.account, rule.account),
        )
        if not all(fnmatch.fnmatchcase(value, glob) for value, glob in places):
            return False
        if rule.resource and not fnmatch.fnmatchcase(text, f"*{rule.resource}*"):
            return False
        rule.seen += 1
        if rule.kind == "rate":
            if self._has_token(rule, context):
                return False
        elif (
            rule.seen <= rule.skip
            or (rule.seen - rule.skip - 1) % rule.every
            or (rule.probability < 1 and self._random.random() >= rule.probability)
        ):
            return False
        if rule.times is not None and rule.fired >= rule.times:
            return False
        rule.fired += 1
        return True

    def _has_token(self, rule: Rule, context: Context) -> bool:
        rate = float(rule.arguments["rate"])
        burst = float(rule.arguments.get("burst", rate))
        key = (rule.id, context.account, context.region)
        now = self._clock.timestamp()
        tokens, last = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - last) * rate)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1


# What services answer when they throttle: their API references, section "Common errors" or the
# operation's own errors, and the retry tables of botocore.
_THROTTLE = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "lambda": ("TooManyRequestsException", "Rate exceeded", 429),
    "organizations": ("TooManyRequestsException", "Rate exceeded", 400),
    "kms": (
        "ThrottlingException",
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        400,
    ),
    "apigateway": ("TooManyRequestsException", "Too Many Requests", 429),
    "query": ("Throttling", "Rate exceeded", 400),
    "json": ("ThrottlingException", "Rate exceeded", 400),
    "rest-json": ("ThrottlingException", "Rate exceeded", 429),
    "rest-xml": ("Throttling", "Rate exceeded", 400),
}
_DENY = {
    "ec2": ("UnauthorizedOperation", 403),
    "query": ("AccessDenied", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "rest-xml": ("AccessDenied", 403),
}


def refusal(rule: Rule, context: Context) -> ApiError | None:
    """The error with which ``rule`` answers a call, or None if it does something else."""
    protocol = protocol_of(context.service)
    given = rule.arguments
    if rule.kind in ("throttle", "rate"):
        code, message, status = _THROTTLE.get(context.service) or _THROTTLE[protocol]
        return ApiError(code, message, status=status)
    if rule.kind == "deny":
        code, status = _DENY[protocol]
        # Text: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        because = given.get("because", "with an explicit deny in a service control policy")
        text = f"User: {context.principal.arn} is not authorized to perform: {iam_action(context)} {because}"
        return ApiError(code, text, status=status)
    if rule.kind in ("error", "unreadable"):
        status = given.get("status", 400)
        return ApiError(given.get("code", "InternalFailure"), given.get("message", ""), status=status)
    if rule.kind == "http":
        # Text of EC2 and many others; the status is what retry logic looks at.
        text = given.get("message", "We encountered an internal error. Please try again.")
        status = given.get("status", 500)
        return ApiError(given.get("code", "InternalFailure"), text, status=status, server_fault=True)
    if rule.kind == "expired":
        code = "ExpiredTokenException" if protocol in ("json", "rest-json") else "ExpiredToken"
        if context.service == "ec2":
            code = "RequestExpired"
        return ApiError(code, "The security token included in the request is expired", status=403)
    return None


_PREFIX = {"elbv2": "elasticloadbalancing", "stepfunctions": "states", "cloudcontrol": "cloudformation"}


def iam_action(context: Context) -> str:
    """The IAM action of a call, near enough for a message (``s3:ListBuckets`` stays as the API names it)."""
    return f"{_PREFIX.get(context.service, context.service)}:{context.operation}"
