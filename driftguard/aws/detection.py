"""The services that watch an account: whether they are on, and what they watch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway
from driftguard.errors import AwsError, GoneError

Answer = Mapping[str, Any]


def _says(error: AwsError, *words: str) -> bool:
    """Whether AWS's own text, which an error of ours may shorten, holds one of the words."""
    text = f"{error.code} {error} {error.__cause__}".lower()
    return any(word in text for word in words)


class GuardDuty(Gateway):
    SERVICE = "guardduty"
    PREFIX = "guardduty"

    @reads("guardduty:ListDetectors")
    def detector(self) -> str | None:
        """The id of the region's detector; AWS allows one."""
        for page in self.pages("ListDetectors", "DetectorIds"):
            return str(page[0])
        return None

    @reads("guardduty:GetDetector")
    def describe(self, detector: str) -> Answer:
        """Status and features of a detector."""
        return self.call("GetDetector", DetectorId=detector)

    @reads("guardduty:GetAdministratorAccount")
    def administrator(self, detector: str) -> str | None:
        """The account that manages the detector; ``None`` when it is managed here."""
        found = self.call("GetAdministratorAccount", DetectorId=detector).get("Administrator") or {}
        return found.get("AccountId")

    @reads("guardduty:ListFindings", "guardduty:GetFindings")
    def findings(self, detector: str) -> Iterator[Answer]:
        """The findings that nobody archived."""
        criteria = {"Criterion": {"service.archived": {"Eq": ["false"]}}}
        for page in self.pages(
            "ListFindings", "FindingIds", DetectorId=detector, FindingCriteria=criteria, MaxResults=50
        ):
            answer = self.call("GetFindings", DetectorId=detector, FindingIds=list(page))
            yield from answer.get("Findings", ())


class SecurityHub(Gateway):
    SERVICE = "securityhub"
    PREFIX = "securityhub"

    @reads("securityhub:DescribeHub")
    def hub(self) -> Answer | None:
        """The hub of the region; ``None`` when Security Hub is off."""
        try:
            return self.call("DescribeHub")
        except GoneError:
            return None
        except AwsError as error:
            if _says(error, "not subscribed", "not enabled"):
                return None
            raise

    @reads("securityhub:GetEnabledStandards")
    def standards(self) -> Iterator[Answer]:
        """The standards that are switched on."""
        return self.items("GetEnabledStandards", "StandardsSubscriptions")


class Macie(Gateway):
    SERVICE = "macie2"
    PREFIX = "macie2"

    @reads("macie2:GetMacieSession")
    def status(self) -> str | None:
        """ENABLED or PAUSED; ``None`` when Macie is off."""
        try:
            return str(self.call("GetMacieSession")["status"])
        except AwsError as error:
            if _says(error, "not enabled"):
                return None
            raise

    @reads("macie2:GetAutomatedDiscoveryConfiguration")
    def discovery(self) -> str | None:
        """Whether automated discovery is ENABLED; ``None`` when Macie is off."""
        try:
            return str(self.call("GetAutomatedDiscoveryConfiguration")["status"])
        except AwsError as error:
            if _says(error, "not enabled"):
                return None
            raise


class Inspector(Gateway):
    SERVICE = "inspector2"
    PREFIX = "inspector2"

    @reads("inspector2:BatchGetAccountStatus")
    def states(self) -> dict[str, str]:
        """What is scanned: ec2, ecr, lambda, lambdaCode -> ENABLED, DISABLED or another status."""
        accounts = self.call("BatchGetAccountStatus", accountIds=[self.account]).get("accounts", ())
        kinds = accounts[0].get("resourceState", {}) if accounts else {}
        return {name: str(state.get("status", "")) for name, state in kinds.items()}


class AccessAnalyzer(Gateway):
    SERVICE = "accessanalyzer"
    PREFIX = "access-analyzer"

    @reads("access-analyzer:ListAnalyzers")
    def analyzers(self) -> Iterator[Answer]:
        """The analyzers of the region: name, type, status."""
        return self.items("ListAnalyzers", "analyzers", token="nextToken")


class Shield(Gateway):
    SERVICE = "shield"
    PREFIX = "shield"

    @reads("shield:DescribeSubscription")
    def subscription(self) -> Answer | None:
        """The subscription of Shield Advanced; ``None`` when there is none."""
        try:
            found: Answer = self.call("DescribeSubscription")["Subscription"]
        except GoneError:
            return None
        return found

    @reads("shield:DescribeDRTAccess")
    def response_team_role(self) -> str | None:
        """The role by which the response team may act; ``None`` when there is none."""
        try:
            return self.call("DescribeDRTAccess").get("RoleArn")
        except GoneError:
            return None
