"""Who may do what, who is told, and what is recorded: facts of an account that no resource shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway
from driftguard.errors import AwsError, GoneError

Answer = Mapping[str, Any]


class Identities(Gateway):
    SERVICE = "iam"
    PREFIX = "iam"

    @reads("iam:ListVirtualMFADevices")
    def virtual_mfa_devices(self) -> Iterator[Answer]:
        """The virtual MFA devices that are assigned to somebody."""
        return self.items(
            "ListVirtualMFADevices", "VirtualMFADevices", token="Marker", AssignmentStatus="Assigned"
        )

    @reads("iam:ListServerCertificates")
    def server_certificates(self) -> Iterator[Answer]:
        """The server certificates that IAM holds."""
        return self.items("ListServerCertificates", "ServerCertificateMetadataList", token="Marker")


class Account(Gateway):
    SERVICE = "account"
    PREFIX = "account"

    @reads("account:GetAlternateContact")
    def has_security_contact(self) -> bool:
        """Whether the account names somebody for questions of security; who it is stays unread."""
        try:
            self.call("GetAlternateContact", AlternateContactType="SECURITY")
        except GoneError:
            return False
        return True


class Organization(Gateway):
    SERVICE = "organizations"
    PREFIX = "organizations"

    @reads("organizations:DescribeOrganization")
    def organization(self) -> Answer | None:
        """The organization of the account; ``None`` when it is in none."""
        try:
            found: Answer = self.call("DescribeOrganization")["Organization"]
        except AwsError as error:
            if error.code == "AWSOrganizationsNotInUseException":
                return None
            raise
        return found


class TrailEvents(Gateway):
    SERVICE = "cloudtrail"
    PREFIX = "cloudtrail"

    @reads("cloudtrail:GetEventSelectors")
    def selectors(self, trail: str) -> Answer:
        """What a trail records."""
        return self.call("GetEventSelectors", TrailName=trail)


class Recorders(Gateway):
    SERVICE = "config"
    PREFIX = "config"

    @reads("config:DescribeConfigurationRecorders")
    def recorders(self) -> tuple[Answer, ...]:
        """The customer managed recorders of the region."""
        return tuple(self.call("DescribeConfigurationRecorders").get("ConfigurationRecorders", ()))

    @reads("config:DescribeConfigurationRecorderStatus")
    def statuses(self) -> dict[str, Answer]:
        """The status of each recorder, by name."""
        rows = self.call("DescribeConfigurationRecorderStatus").get("ConfigurationRecordersStatus", ())
        return {row["name"]: row for row in rows}


class ManagedNodes(Gateway):
    SERVICE = "ssm"
    PREFIX = "ssm"

    @reads("ssm:DescribeInstanceInformation")
    def nodes(self) -> Iterator[Answer]:
        """The nodes that Systems Manager knows."""
        return self.items("DescribeInstanceInformation", "InstanceInformationList", MaxResults=50)

    @reads("ssm:ListResourceComplianceSummaries")
    def compliance(self) -> Iterator[Answer]:
        """The compliance of each node, one row for each kind."""
        return self.items("ListResourceComplianceSummaries", "ResourceComplianceSummaryItems", MaxResults=50)

    @reads("ssm:ListDocuments")
    def own_documents(self) -> Iterator[Answer]:
        """The documents of the account."""
        return self.items(
            "ListDocuments",
            "DocumentIdentifiers",
            Filters=[{"Key": "Owner", "Values": ["Self"]}],
            MaxResults=50,
        )

    @reads("ssm:DescribeDocumentPermission")
    def public_document(self, name: str) -> bool:
        """Whether everybody may run the document."""
        answer = self.call("DescribeDocumentPermission", Name=name, PermissionType="Share")
        return "all" in answer.get("AccountIds", ())
