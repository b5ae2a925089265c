"""``scan`` and ``store``: how a scan works, and where it is remembered."""

from __future__ import annotations

from pydantic import Field

from driftguard.settings.base import Section
from driftguard.settings.words import FailOn


class ScanSettings(Section):
    """What a scan does."""

    native_drift: bool = Field(True, description="Also ask CloudFormation for its own drift results.")
    native_drift_timeout_seconds: float = Field(600, gt=0, description="How long to wait for one detection.")
    cloud_control: bool = Field(
        True, description="Read full models with Cloud Control where AWS Config shows less."
    )
    unmanaged: bool = Field(True, description="Report resources that no stack declares.")
    undeclared: bool = Field(True, description="Compare undeclared values with their witness.")
    ignore: tuple[str, ...] = Field(
        (),
        description="Ignored properties as TYPE:POINTER, wildcards allowed (AWS::ECS::Service:/DesiredCount).",
    )
    unmanaged_ignore_types: tuple[str, ...] = Field(
        (), description="Types that need not be managed, wildcards allowed."
    )
    declared: str | None = Field(
        None, description="A folder with the repository's templates, for three-way drift."
    )
    stacks: dict[str, str] = Field(
        default_factory=dict,
        description="Stack name (wildcards allowed) to template file below `declared`, where names do not tell.",
    )
    baselines: tuple[str, ...] = Field(
        (), description="Baseline files (`driftguard baseline record`) to compare live states with."
    )
    schemas: str | None = Field(
        None,
        description="A folder of an account's own resource schemas (`driftguard schema refresh` fills it).",
    )
    fail_on: FailOn = Field("low", description="The least severity that makes the exit code 1.")
    strict: bool = Field(False, description="Exit with 3 when anything could not be read.")


class StoreSettings(Section):
    """Where history is kept."""

    url: str = Field(
        "sqlite:///driftguard.db",
        description="sqlite:///PATH or postgresql://USER@HOST/NAME (also DRIFTGUARD_STORE).",
    )
    key_file: str | None = Field(
        None,
        description="The key that tags redacted secrets; default: driftguard.key beside the SQLite file.",
    )
    retention_days: int = Field(
        2557, ge=1, description="How long closed versions are kept.  Evidence is never eaten."
    )
