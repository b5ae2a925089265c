"""Repository, deployed template and live resource: which two of the three differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from driftguard.model.drift import PropertyDifference
from driftguard.model.resource import Location


class ThreeWayVerdict(StrEnum):
    """Which of repository, deployed template and live resource agree."""

    ALL_EQUAL = "ALL_EQUAL"
    NOT_DEPLOYED = "NOT_DEPLOYED"
    """The repository is ahead: deployed and live agree, the repository differs."""
    DRIFTED = "DRIFTED"
    """Repository and deployed agree, the live resource differs."""
    ADOPTED = "ADOPTED"
    """A change made by hand is in the repository already, and only the deployment is behind."""
    ALL_DIFFER = "ALL_DIFFER"
    ONLY_IN_REPOSITORY = "ONLY_IN_REPOSITORY"
    ONLY_DEPLOYED = "ONLY_DEPLOYED"
    NOT_CHECKED = "NOT_CHECKED"
    """Repository and deployed agree; the live resource could not be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDrift:
    """One resource of a stack whose template stands in a repository.

    ``undeployed`` are the differences between the repository (expected) and the deployed template (actual);
    ``file`` is the repository's template and ``location`` the resource's place in it.
    """

    account: str
    region: str
    stack: str
    logical_id: str
    type: str
    verdict: ThreeWayVerdict
    file: str = ""
    undeployed: tuple[PropertyDifference, ...] = ()
    location: Location | None = None
