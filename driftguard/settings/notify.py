"""``notify``: where messages go, and which."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from driftguard.settings.base import Section
from driftguard.settings.freeze import Zone
from driftguard.settings.words import Kind, Label

_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"


class Channel(Section):
    """One place to send to.  Which fields a kind needs is told by `driftguard notify test`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,62}$", description="A name for routes and records.")
    kind: str = Field(
        pattern=r"^[a-z]+$",
        description="slack, teams, email, pagerduty, webhook, jira, apprise, sns, eventbridge, securityhub or opscenter.",
    )
    url: SecretStr | None = Field(None, description="The address, where the kind has one; better: `url_env`.")
    url_env: str | None = Field(None, description="The environment variable that holds the address.")
    secret_env: str | None = Field(
        None, description="The environment variable that holds the key, token or password."
    )
    target: str = Field(
        "",
        description="A topic ARN, an event bus, a Jira project key, a sender address: what the kind asks for.",
    )
    recipients: tuple[str, ...] = Field((), description="E-mail addresses.")
    user: str = Field("", description="The user name for e-mail and Jira.")
    account: str = Field("", description="The account of an AWS target; empty: our own.")
    region: str = Field("", description="The region of an AWS target; empty: our own.")
    allow_private: bool = Field(
        False,
        description="Allow an address inside the private network; the metadata service stays forbidden.",
    )
    language: Literal["en", "ko"] = Field("en", description="The language of the messages.")


class QuietHours(Section):
    """A time in which only the worst disturbs; the rest waits for its end."""

    from_time: str = Field(pattern=_TIME, description="Local time at which it begins.")
    to_time: str = Field(pattern=_TIME, description="Local time at which it ends.")
    timezone: Zone = Field("UTC", description="The zone of these times.")
    except_severity: Label = Field("CRITICAL", description="This severity and worse are sent at once.")


class Route(Section):
    """Which findings go to which channels.  Every selector that is set must match."""

    channels: tuple[str, ...] = Field(min_length=1, description="Names of channels.")
    severity: Label = Field("LOW", description="The least severity.")
    accounts: tuple[str, ...] = Field((), description="Account ids, wildcards allowed; empty: all.")
    kinds: tuple[Kind, ...] = Field((), description="DRIFT, UNDECLARED, UNMANAGED, COMPLIANCE; empty: all.")
    tags: tuple[str, ...] = Field((), description="KEY=VALUE pairs that the resource or its stack carries.")
    owners: tuple[str, ...] = Field((), description="Owners, wildcards allowed; empty: all.")
    transitions: tuple[Literal["new", "reopened", "resolved"], ...] = Field(
        ("new", "reopened", "resolved"), description="On what to speak."
    )
    mode: Literal["immediate", "digest"] = Field("immediate", description="At once, or collected.")
    digest_at: str = Field("09:00", pattern=_TIME, description="Local time at which a digest is sent.")
    timezone: Zone = Field("UTC", description="The zone of `digest_at`.")
    quiet_hours: QuietHours | None = Field(None, description="When not to disturb.")


class NotifySettings(Section):
    """Who is told what, where and when."""

    channels: tuple[Channel, ...] = Field((), description="Places to send to.")
    routes: tuple[Route, ...] = Field((), description="Which findings go where.")
    failures: tuple[str, ...] = Field(
        (), description="Channels that hear of failed and missed nights; empty: every channel of a route."
    )
    approvals: tuple[str, ...] = Field(
        (), description="Channels that hear of a plan that waits for approval, with a link to its page."
    )
    link: str = Field("", description="The address of the web pages; links in messages begin with it.")
    max_attempts: int = Field(12, ge=1, le=100, description="Attempts before a message is given up.")

    @model_validator(mode="after")
    def _channels_exist(self) -> NotifySettings:
        names = [channel.name for channel in self.channels]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"two channels are called {double[0]}")
        asked = {name for route in self.routes for name in route.channels} | set(self.failures)
        asked |= set(self.approvals)
        unknown = sorted(asked - set(names))
        if unknown:
            raise ValueError(f"there is no channel {unknown[0]}")
        return self
