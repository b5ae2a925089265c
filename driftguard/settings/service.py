"""``service``: schedules, events, and how workers share the work."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from driftguard.settings.base import Section
from driftguard.settings.freeze import Freeze, Zone


class Schedule(Section):
    """One thing that happens again and again."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="A short name; history hangs on it.")
    cron: str | None = Field(
        None, description="Five fields (`0 2 * * mon-fri`; 0 and 7 are Sunday), or @daily and the like."
    )
    every: str | None = Field(None, pattern=r"^\d+[smhd]$", description="An interval instead: 30m, 6h, 1d.")
    timezone: Zone = Field("UTC", description="The zone of the fields above (Asia/Seoul).")
    jitter_seconds: int = Field(
        0, ge=0, le=3600, description="Spread starts: a delay of up to this, always the same for one id."
    )
    missed: Literal["catch_up", "report"] = Field(
        "catch_up", description="A slot that fell into a standstill: run the newest once, or only report it."
    )
    grace_seconds: int = Field(
        900, ge=1, description="With `report`: how late a slot may start before it counts as missed."
    )
    freeze: tuple[Freeze, ...] = Field((), description="When not to start.")
    units: Literal["whole", "account", "place"] = Field(
        "whole",
        description="What one worker takes at once: the whole scope, one account, or one account and region.",
    )
    accounts: tuple[str, ...] = Field((), description="Only these accounts of the scope; empty: all.")
    regions: tuple[str, ...] = Field((), description="Only these regions of the scope; empty: all.")
    types: tuple[str, ...] = Field((), description="Only these types; empty: as `scope.types`.")
    stacks: tuple[str, ...] = Field((), description="Only these stacks; empty: as `scope.stacks`.")
    max_attempts: int = Field(3, ge=1, le=20, description="Attempts per unit before it counts as failed.")
    enabled: bool = Field(True, description="Switch it off without losing its history.")

    @model_validator(mode="after")
    def _one_clock(self) -> Schedule:
        if (self.cron is None) == (self.every is None):
            raise ValueError("give either cron or every")
        if self.id == "event":
            raise ValueError("the id `event` is taken by what events start")
        return self


class EventSettings(Section):
    """Changes that AWS tells of through an SQS queue."""

    queue_url: str | None = Field(
        None, description="The queue that EventBridge fills (deploy/ has templates); empty: no events."
    )
    region: str | None = Field(None, description="The queue's region; default: taken from its URL.")
    settle_seconds: int = Field(
        10, ge=0, le=300, description="Wait this long after an event, so that a burst is looked at once."
    )
    wait_seconds: int = Field(20, ge=0, le=20, description="Long-poll time of one ReceiveMessage.")


class LeaseSettings(Section):
    """How workers share the work."""

    seconds: int = Field(
        120, ge=2, le=3600, description="A worker that is silent this long has lost its unit."
    )
    workers: int = Field(1, ge=0, le=16, description="Units this process works on at once; 0: none.")
    reconcile_seconds: float = Field(30, gt=0, le=300, description="How often the ledger is looked through.")
    retry_seconds: int = Field(
        60, ge=0, description="Delay before a failed unit is tried again; doubled each time."
    )


class ServiceSettings(Section):
    """What `driftguard serve` and `driftguard worker` do by themselves."""

    schedules: tuple[Schedule, ...] = Field((), description="What runs when.")
    events: EventSettings = Field(default_factory=EventSettings, description="Events from an SQS queue.")
    lease: LeaseSettings = Field(default_factory=LeaseSettings, description="How workers share the work.")
    emf_namespace: str = Field(
        "",
        max_length=255,
        pattern=r"^[\w.\-/#]*$",
        description="Log each run's numbers as CloudWatch metrics under this namespace; empty: not.",
    )

    @model_validator(mode="after")
    def _names_differ(self) -> ServiceSettings:
        names = [schedule.id for schedule in self.schedules]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"two schedules are called {double[0]}")
        return self
