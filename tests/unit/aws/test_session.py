"""From settings to accounts that can be entered, and to sentences about those that cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from driftguard.aws import Place
from driftguard.errors import AccessDeniedError, ConfigError, CredentialsError, EndpointError
from driftguard.model import Gap, GapReason
from tests.fake_aws import ACCOUNT, FakeAws
from tests.unit.aws.conftest import aws_of

OTHER = "222222222222"


def assumed(expires: timedelta = timedelta(hours=1)) -> str:
    until = (datetime.now(UTC) + expires).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def identity(account: str) -> str:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:sts::{account}:assumed-role/driftguard-read/driftguard</Arn><UserId>x</UserId>"
        f"<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def test_without_accounts_the_scope_is_our_own_account_and_region(fake: FakeAws) -> None:
    targets = aws_of(fake).targets()
    assert [(target.account, target.region) for target in targets] == [(ACCOUNT, "us-east-1")]


def test_accounts_and_regions_multiply_and_keep_names(fake: FakeAws) -> None:
    accounts = [
        {"id": ACCOUNT, "name": "main"},
        {"id": OTHER, "regions": ["eu-west-1"], "environment": "prod"},
    ]
    aws = aws_of(fake, scope={"accounts": accounts, "regions": ["us-east-1", "ap-northeast-2"]})
    assert [(t.account, t.region, t.name, t.environment) for t in aws.targets()] == [
        (ACCOUNT, "us-east-1", "main", ""),
        (ACCOUNT, "ap-northeast-2", "main", ""),
        (OTHER, "eu-west-1", "", "prod"),
    ]


def test_a_misspelt_region_is_a_config_error_with_the_right_one(fake: FakeAws) -> None:
    with pytest.raises(ConfigError, match=r"no region ap-northest-2.*`ap-northeast-2`"):
        aws_of(fake, scope={"regions": ["ap-northest-2"]}).targets()


def test_an_endpoint_that_is_no_address_or_does_not_answer_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from driftguard.aws import Aws
    from driftguard.settings import Settings

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for url, kind in (("nonsense", ConfigError), ("http://127.0.0.1:9", EndpointError)):
        settings = Settings.model_validate({"aws": {"endpoint_url": url, "max_attempts": 1}})
        with pytest.raises(kind, match=url):
            Aws(settings.aws, settings.scope).identity()


def test_a_region_that_does_not_exist_is_refused_before_any_call(fake: FakeAws) -> None:
    session = fake.session()
    session.set_config_variable("region", "mars-north-1")
    fake.session = lambda: session  # type: ignore[method-assign]  # the same session with another region
    with pytest.raises(ConfigError, match="no region mars-north-1"):
        aws_of(fake).targets()
    assert not fake.calls


def test_organization_units_are_searched_and_left_out(fake: FakeAws) -> None:
    below = {"ou-a": ["ou-b", "ou-c"], "ou-b": [], "ou-c": []}
    members = {
        "ou-a": [{"Id": ACCOUNT, "Name": "a", "Status": "ACTIVE"}],
        "ou-b": [{"Id": OTHER, "Name": "b", "Status": "ACTIVE"}, {"Id": "3" * 12, "Status": "SUSPENDED"}],
        "ou-c": [{"Id": "4" * 12, "Name": "c", "Status": "ACTIVE"}],
    }
    fake.on("ListAccountsForParent", lambda asked: {"Accounts": members[asked["ParentId"]]})
    fake.on(
        "ListOrganizationalUnitsForParent",
        lambda asked: {"OrganizationalUnits": [{"Id": unit} for unit in below[asked["ParentId"]]]},
    )
    choice = {"enabled": True, "include_ous": ["ou-a"], "exclude_ous": ["ou-c"]}
    aws = aws_of(fake, scope={"organization": choice, "regions": ["us-east-1"]})
    assert [(target.account, target.name) for target in aws.targets()] == [(ACCOUNT, "a"), (OTHER, "b")]


def test_a_refused_organization_is_an_error_not_an_empty_scope(fake: FakeAws) -> None:
    fake.on("ListAccounts", (400, "AccessDeniedException", "no"))
    with pytest.raises(AccessDeniedError) as caught:
        aws_of(fake, scope={"organization": {"enabled": True}}).targets()
    assert caught.value.action == "organizations:ListAccounts"


def test_another_account_is_entered_by_its_role_with_external_id_and_tags(fake: FakeAws) -> None:
    fake.on("AssumeRole", lambda _: assumed())
    fake.on("GetCallerIdentity", lambda _: identity(ACCOUNT), lambda _: identity(OTHER))
    aws = aws_of(
        fake,
        scope={"accounts": [{"id": OTHER, "external_id": "xyz"}], "regions": ["us-east-1"]},
        aws={"session_tags": {"team": "sre"}},
    )
    (target,) = aws.targets()
    assert isinstance(aws.enter(target), Place)
    asked = next(parameters for name, parameters in fake.calls if name == "AssumeRole")
    assert asked["RoleArn"] == f"arn:aws:iam::{OTHER}:role/driftguard-read"
    assert asked["ExternalId"] == "xyz"
    assert asked["Tags.member.1.Key"] == "team"


def test_credentials_of_a_role_are_renewed_before_they_expire(fake: FakeAws) -> None:
    fake.on("AssumeRole", lambda _: assumed(timedelta(minutes=5)))
    fake.on("GetCallerIdentity", lambda _: identity(ACCOUNT), lambda _: identity(OTHER))
    aws = aws_of(fake, scope={"accounts": [{"id": OTHER}], "regions": ["us-east-1"]})
    place = aws.place(OTHER, "us-east-1")
    place.sts.identity()
    place.sts.identity()
    assert fake.count("AssumeRole") >= 2


def test_an_account_that_cannot_be_entered_is_a_gap_that_says_why(fake: FakeAws) -> None:
    fake.on("AssumeRole", (403, "AccessDenied", "not authorized to perform: sts:AssumeRole on resource: x"))
    aws = aws_of(fake, scope={"accounts": [{"id": OTHER}], "regions": ["us-east-1"]})
    gap = aws.enter(aws.targets()[0])
    assert isinstance(gap, Gap)
    assert gap.reason is GapReason.ACCESS_DENIED
    assert gap.account == OTHER
    assert gap.action == "sts:AssumeRole"
    assert "driftguard-read" in gap.detail


def test_a_role_that_leads_elsewhere_is_refused(fake: FakeAws) -> None:
    fake.on("AssumeRole", lambda _: assumed())
    fake.on("GetCallerIdentity", lambda _: identity(ACCOUNT), lambda _: identity("9" * 12))
    aws = aws_of(fake, scope={"accounts": [{"id": OTHER}], "regions": ["us-east-1"]})
    gap = aws.enter(aws.targets()[0])
    assert isinstance(gap, Gap)
    assert "999999999999" in gap.detail


def test_expired_credentials_end_the_run_in_one_sentence(fake: FakeAws) -> None:
    fake.on(
        "GetCallerIdentity", (403, "ExpiredToken", "The security token included in the request is expired")
    )
    with pytest.raises(CredentialsError, match="have expired"):
        aws_of(fake).identity()


def test_a_profile_that_does_not_exist_is_one_sentence() -> None:
    from driftguard.aws import Aws
    from driftguard.settings import Settings

    settings = Settings.model_validate({"aws": {"profile": "no-such-profile"}})
    with pytest.raises(CredentialsError, match="no such AWS profile"):
        Aws(settings.aws, settings.scope).identity()


def test_a_dropped_account_is_forgotten_and_can_be_entered_again(fake: FakeAws) -> None:
    fake.on("AssumeRole", lambda _: assumed())
    fake.on("GetCallerIdentity", lambda _: identity(ACCOUNT), lambda _: identity(OTHER))
    aws = aws_of(fake, scope={"accounts": [{"id": OTHER}], "regions": ["us-east-1"]})
    (target,) = aws.targets()
    aws.enter(target)
    aws.drop(OTHER)
    assert isinstance(aws.enter(target), Place)
    assert fake.count("AssumeRole") == 2
