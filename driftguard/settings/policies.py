"""``policies``: which policies are judged, and how they differ from what they ship as."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from driftguard.settings.base import Section
from driftguard.settings.words import Label


class Override(Section):
    """Changes to a policy for a part of the estate.  Every selector that is set must match."""

    policy: str = Field(description="Policy id, wildcards allowed.")
    accounts: tuple[str, ...] = Field((), description="Account ids; empty: all.")
    environments: tuple[str, ...] = Field((), description="Environment tiers; empty: all.")
    organizational_units: tuple[str, ...] = Field((), description="OU ids; empty: all.")
    tags: tuple[str, ...] = Field((), description="KEY=VALUE pairs that the resource must carry.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Parameter values.")
    severity: Label | None = Field(None, description="Another severity.")
    enabled: bool | None = Field(None, description="Switch it off or on.")


class PolicySettings(Section):
    """What is judged."""

    frameworks: tuple[str, ...] = Field(
        (), description="Frameworks to judge; empty: the default set; `*`: every policy that there is."
    )
    include: tuple[str, ...] = Field((), description="Policy ids to judge besides, wildcards allowed.")
    exclude: tuple[str, ...] = Field((), description="Policy ids to leave out, wildcards allowed.")
    folders: tuple[str, ...] = Field((), description="Folders with policies of your own.")
    overrides: tuple[Override, ...] = Field((), description="Changes by account, OU, tag and environment.")
    waivers: tuple[str, ...] = Field((), description="Waiver files.")
    aws_config_results: bool = Field(
        True, description="Take the verdicts of AWS Config's own rules into the report."
    )
    allow_plugins: bool = Field(False, description="Load Python policies from installed packages.")
