"""``scope`` and ``aws``: where to look, and how to get in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveFloat

from driftguard.settings.base import Section


class Account(Section):
    """One account of the scope, where it differs from the defaults."""

    id: str = Field(pattern=r"^\d{12}$", description="The 12-digit account id.")
    name: str = Field("", description="A name for reports.")
    role_arn: str | None = Field(
        None, description="The role to assume; default: `role_name` in this account."
    )
    external_id: str | None = Field(
        None, description="The external id that the role's trust policy asks for."
    )
    regions: tuple[str, ...] | None = Field(
        None, description="Regions of this account; default: `scope.regions`."
    )
    environment: str = Field(
        "", description="The environment tier (prod, staging, dev) that policies may ask for."
    )


class Organization(Section):
    """Accounts found through AWS Organizations instead of, or beside, the list."""

    enabled: bool = Field(False, description="Discover accounts with organizations:ListAccounts.")
    include_ous: tuple[str, ...] = Field((), description="Organizational units to take (ids); empty: all.")
    exclude_ous: tuple[str, ...] = Field((), description="Organizational units to leave out (ids).")
    exclude_accounts: tuple[str, ...] = Field((), description="Accounts to leave out (ids).")


class ScopeSettings(Section):
    """What a scan covers."""

    accounts: tuple[Account, ...] = Field(
        (), description="Accounts; empty: the one that the credentials belong to."
    )
    organization: Organization = Field(
        default_factory=Organization, description="Discovery by AWS Organizations."
    )
    regions: tuple[str, ...] = Field((), description="Regions; empty: the session's own region.")
    types: tuple[str, ...] = Field(
        (), description="CloudFormation type names, wildcards allowed; empty: all."
    )
    exclude_types: tuple[str, ...] = Field((), description="Type names to leave out, wildcards allowed.")
    stacks: tuple[str, ...] = Field((), description="Stack names, wildcards allowed; empty: all.")
    complete: bool = Field(
        False,
        description="The regions above are all in which stacks live, so what no stack declares is declared nowhere.",
    )
    aggregator: str | None = Field(None, description="An AWS Config aggregator to read all accounts through.")


class AwsSettings(Section):
    """How AWS is called.  Credentials come from botocore's own chain and are never stored."""

    profile: str | None = Field(None, description="A profile of the shared configuration file.")
    role_name: str = Field("driftguard-read", description="The role to assume in every account but our own.")
    external_id: str | None = Field(None, description="The external id for that role.")
    session_tags: dict[str, str] = Field(default_factory=dict, description="Session tags for AssumeRole.")
    endpoint_url: str | None = Field(
        None, description="Another endpoint for all services (AWS_ENDPOINT_URL works too)."
    )
    connect_timeout_seconds: float = Field(
        5, gt=0, le=60, description="How long a connection may take to open."
    )
    read_timeout_seconds: float = Field(30, gt=0, le=300, description="How long an answer may take.")
    retry_mode: Literal["adaptive", "standard"] = Field("adaptive", description="botocore's retry mode.")
    max_attempts: int = Field(6, ge=1, le=20, description="Attempts per call, the first one included.")
    concurrency: int = Field(16, ge=1, le=128, description="Calls under way at once.")
    calls_per_second: float = Field(20, gt=0, le=500, description="Budget per service, account and region.")
    calls_per_second_of: dict[str, PositiveFloat] = Field(
        default_factory=dict,
        description="The same for single services by boto3's name, where AWS raised or lowered a quota for you.",
    )
