"""What is told to people and machines outside: transitions of findings, messages, deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from driftguard.model.finding import Finding, Severity
from driftguard.model.resource import Json


class Transition(StrEnum):
    """What happened to a finding; nothing else is told."""

    NEW = "new"
    REOPENED = "reopened"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One transition of one finding.  ``document`` is the finding in Security Hub's format (ASFF)."""

    transition: Transition
    finding: Finding
    document: Mapping[str, Json] = field(default_factory=dict)
    title_ko: str = ""
    """What the finding is called in Korean; its own title is English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one delivery says.  ``cause`` names what its notices have in common; ``text`` and ``title_ko``, the
    title in Korean, are for messages without notices (a failed night, a plan, a test)."""

    title: str
    severity: Severity
    run_id: str = ""
    cause: str = ""
    text: str = ""
    title_ko: str = ""
    notices: tuple[Notice, ...] = ()


class DeliveryState(StrEnum):
    """What became of a delivery."""

    PENDING = "PENDING"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    """Given up after all attempts."""
    UNCERTAIN = "UNCERTAIN"
    """It may have arrived: the connection or we ourselves broke off while it was sent.  Never sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message to one channel.  ``id`` says what it is about, so that it is written down once.

    ``digest`` deliveries of a channel that are due together are sent as one message.
    """

    id: str
    channel: str
    message: Message
    not_before: datetime
    digest: bool = False
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    error: str = ""
    reference: str = ""
    sent_at: datetime | None = None
