"""``remediation``: what may be put right, how carefully, and by whom."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftguard.settings.base import Section
from driftguard.settings.freeze import Freeze
from driftguard.settings.words import Label

CureName = Literal["REVERT", "ADOPT", "ACCEPT", "FIX"]


class CureRule(Section):
    """Which cure a drift gets.  Every selector that is set must match; the first rule that does decides."""

    cure: CureName = Field(description="REVERT, ADOPT or ACCEPT.")
    severities: tuple[Label, ...] = Field((), description="Severities; empty: all.")
    types: tuple[str, ...] = Field((), description="Resource types, wildcards allowed; empty: all.")
    paths: tuple[str, ...] = Field((), description="Property pointers, wildcards allowed; empty: all.")
    principals: tuple[str, ...] = Field(
        (), description="Who made the change (ARN or name), wildcards allowed; empty: anybody."
    )
    accounts: tuple[str, ...] = Field((), description="Account ids; empty: all.")


class AutomaticRule(Section):
    """What is put right without a person.  Every selector that is set must match."""

    policies: tuple[str, ...] = Field((), description="Policy ids, wildcards allowed.")
    drift: bool = Field(False, description="Drift, too, where its cure is REVERT.")
    accounts: tuple[str, ...] = Field((), description="Account ids; empty: all.")
    regions: tuple[str, ...] = Field((), description="Regions; empty: all.")
    types: tuple[str, ...] = Field((), description="Resource types, wildcards allowed; empty: all.")
    severities: tuple[Label, ...] = Field((), description="Severities; empty: all.")
    rehearsal: bool = Field(True, description="Only record what would have been done.")


class RolloutShape(Section):
    """A rollout of your own: a first part, then equal parts, with a pause between them."""

    first_percent: float = Field(gt=0, le=100, description="How much goes first.")
    then_percent: float = Field(100, gt=0, le=100, description="How much goes in each later wave.")
    pause_minutes: float = Field(0, ge=0, le=2880, description="How long to watch between two waves.")


class RemediationSettings(Section):
    """What may be put right.  Nothing is done without an approved plan, unless ``automatic`` says so."""

    cures: tuple[CureRule, ...] = Field(
        (), description="Which cure a drift gets, before the built-in order is asked."
    )
    plan_expires_hours: float = Field(24, gt=0, le=720, description="How long a plan may be applied.")
    required_approvals: int = Field(1, ge=1, le=5, description="How many people must approve.")
    author_may_approve: bool = Field(True, description="Whether whoever made the plan may approve it.")
    allow_deletes: bool = Field(False, description="Whether a plan may hold steps that delete something.")
    rollout: str = Field("OneAtATime", description="The rollout of a plan that names none.")
    rollouts: dict[str, RolloutShape] = Field(
        default_factory=dict, description="Rollouts of your own, by name."
    )
    max_errors: int = Field(0, ge=0, description="How many steps may fail before the rest is left alone.")
    alarms: tuple[str, ...] = Field((), description="CloudWatch alarms that stop a rollout.")
    concurrency: int = Field(10, ge=1, le=80, description="Automations under way at once (SSM allows 100).")
    starts_per_second: float = Field(2, gt=0, le=10, description="How fast automations are started.")
    step_timeout_minutes: float = Field(30, gt=0, le=720, description="How long one step may take.")
    verify_minutes: float = Field(
        10, ge=0, le=240, description="How long AWS may take until it shows what a step did."
    )
    rollback_on_failure: bool = Field(True, description="Put the saved state back where a step did not help.")
    max_per_run: int = Field(50, ge=1, description="Steps in one plan.")
    max_per_account: int = Field(25, ge=1, description="Steps in one account.")
    max_per_type: int = Field(25, ge=1, description="Steps on one resource type.")
    max_percent_of_type: float = Field(
        50,
        gt=0,
        le=100,
        description="Share of an account's resources of one type, once that is more than ten.",
    )
    protected_tags: tuple[str, ...] = Field(
        ("driftguard:protected=*",), description="KEY=VALUE of resources never touched, wildcards allowed."
    )
    protected_accounts: tuple[str, ...] = Field((), description="Accounts never touched.")
    protected_types: tuple[str, ...] = Field((), description="Types never touched, wildcards allowed.")
    calendars: tuple[str, ...] = Field(
        (), description="Change Calendars (names or ARNs) that must be open, asked in the resource's region."
    )
    freezes: tuple[Freeze, ...] = Field((), description="Times in which nothing is changed.")
    documents: tuple[str, ...] = Field(
        ("Driftguard*", "AWSConfigRemediation-*", "AWS-*"),
        description="SSM documents that may be started, wildcards allowed.",
    )
    role_name: str = Field(
        "driftguard-remediate", description="The role to assume to start and stop what a plan says."
    )
    automation_role_name: str = Field(
        "driftguard-automation", description="The role that SSM Automation works with."
    )
    inputs: dict[str, str] = Field(
        default_factory=dict,
        description="Values that remedies ask for, such as LogBucket or KmsKeyId; NAME@ACCOUNT narrows one.",
    )
    security_hub: bool = Field(
        False, description="Set the workflow status of our findings in Security Hub after a run."
    )
    ops_items: bool = Field(
        False, description="Open an OpsItem for each step that did not help, and resolve it once one does."
    )
    automatic: tuple[AutomaticRule, ...] = Field((), description="What is put right without a person.")
    folders: tuple[str, ...] = Field((), description="Folders with remedies of your own.")
