"""What a caller asks of a plan, finding by finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from driftguard.model.remediation import Cure
from driftguard.remediation.material import Case

ACCEPT_DAYS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller asks for.

    ``cures`` maps fingerprints to a chosen cure, ``reasons`` those that are accepted to why.
    """

    author: str
    rollout: str = ""
    cures: Mapping[str, Cure] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    accept_days: int = ACCEPT_DAYS
    allow_deletes: bool = False
    plan_id: str = ""

    def asked(self, case: Case) -> bool:
        """Whether somebody chose a cure for this very case."""
        return any(finding.fingerprint in self.cures for finding in case.findings)

    def reason(self, case: Case) -> str:
        """Why somebody accepts the case; empty when nobody said."""
        return next(
            (self.reasons[one.fingerprint] for one in case.findings if one.fingerprint in self.reasons), ""
        )
