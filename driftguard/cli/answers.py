"""What people answer on the command line: another cure for single findings, and the word for deletions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from driftguard.errors import InputError

if TYPE_CHECKING:
    from driftguard.history.port import Store
    from driftguard.model import Finding
    from driftguard.model.remediation import Cure
    from driftguard.remediation import Wishes

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Answers:
    """The flags as they are typed (cure -> ``FINDING`` or ``FINDING=WHY``), and the findings that they mean."""

    typed: dict[Cure, Iterable[str]]
    expires: str = "90d"
    allow_deletes: bool = False
    findings: dict[str, Finding] = field(default_factory=dict)
    _cures: dict[str, Cure] = field(default_factory=dict)
    _reasons: dict[str, str] = field(default_factory=dict)

    def wishes(self, store: Store, now: datetime, **more: Any) -> Wishes:
        """What is asked of the plan.  Raises `InputError`: no such finding, or two cures for one."""
        from driftguard.cli.decisions import expiry
        from driftguard.remediation import Wishes

        for cure, names in self.typed.items():
            for name in names:
                self._take(store, cure, name)
        return Wishes(
            cures=self._cures,
            reasons=self._reasons,
            accept_days=max(1, (expiry(self.expires, now) - now) // timedelta(days=1)),
            allow_deletes=self.allow_deletes,
            **more,
        )

    def _take(self, store: Store, cure: Cure, name: str) -> None:
        from driftguard.cli.chosen import one_finding

        digits, _, reason = name.partition("=")
        finding = one_finding(store, digits.strip())
        if self._cures.setdefault(finding.fingerprint, cure) is not cure:
            raise InputError(f"two cures are asked for {digits}.", fix="Choose one.")
        self.findings[finding.fingerprint] = finding
        if reason.strip():
            self._reasons[finding.fingerprint] = reason.strip()


def answer_options(command: F) -> F:
    """Give ``command`` the options of an answer; it receives one `Answers` named ``answers``."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from driftguard.model.remediation import Cure

        typed = {cure: kwargs.pop(cure.lower()) for cure in (Cure.REVERT, Cure.ADOPT, Cure.ACCEPT)}
        answers = Answers(typed, kwargs.pop("expires"), kwargs.pop("allow_deletes"))
        return command(*args, answers=answers, **kwargs)

    for option in (
        click.option(
            "--allow-deletes", is_flag=True, help="The plan may hold steps that delete or revoke something."
        ),
        click.option(
            "--expires",
            default="90d",
            show_default=True,
            help="Until when it is accepted: days (90d) or a date (2027-01-31).",
        ),
        click.option(
            "--accept",
            multiple=True,
            metavar="FINDING[=WHY]",
            help="Accept this one for a while, and say why; repeatable.",
        ),
        click.option(
            "--adopt", multiple=True, metavar="FINDING", help="Take this one into its template; repeatable."
        ),
        click.option(
            "--revert",
            multiple=True,
            metavar="FINDING",
            help="Put this one back; what no template declares is deleted (with --allow-deletes).  Repeatable.",
        ),
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]  # functools.wraps keeps the signature that click reads
