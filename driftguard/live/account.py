"""The facts of an account itself, as the one resource ``AWS::::Account``.

``driftguard/rules/data/account_facts.yaml`` says what each fact is and which calls give it.  A fact that may not be read is a gap and is missing from the resource's
coverage, so that nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from driftguard.aws import Place
from driftguard.aws.gaps import gap_of
from driftguard.aws.safekeeping import DocumentDb, Neptune
from driftguard.errors import AwsError
from driftguard.live import account_facts, estate_facts
from driftguard.live.canonical import state_hash
from driftguard.model import Gap, Json, Resource, ResourceKey, Source

ACCOUNT = "AWS::::Account"
Ask = Callable[[Place], Json]

ACCOUNT_WIDE: Mapping[str, Ask] = {
    "AccountSummary": lambda place: place.iam.account_summary(),
    "BucketsWithMfaDelete": account_facts.buckets_with_mfa_delete,
    "CredentialReport": account_facts.credential_report,
    "Organization": account_facts.organization,
    "PasswordPolicy": lambda place: place.iam.password_policy(),
    "RootMfaIsVirtual": account_facts.root_mfa_is_virtual,
    "S3PublicAccessBlock": lambda place: place.s3control.public_access_block(),
    "SecurityContact": account_facts.security_contact,
    "ServerCertificates": account_facts.server_certificates,
    "ShieldDrtRole": account_facts.shield_drt_role,
    "ShieldSubscription": account_facts.shield_subscription,
}
"""Facts that are the same in every region."""

REGIONAL: Mapping[str, Ask] = {
    "AccessAnalyzers": account_facts.access_analyzers,
    "AirGappedBackups": estate_facts.air_gapped_backups,
    "Certificates": estate_facts.certificates,
    "ConfigRecorders": account_facts.config_recorders,
    "DocumentDbSnapshots": lambda place: estate_facts.cluster_snapshots(place.gateway(DocumentDb)),
    "DynamoDbLimits": estate_facts.dynamodb_limits,
    "EbsEncryptionByDefault": lambda place: place.ec2.ebs_encryption_by_default(),
    "EmrPrimaryNodes": estate_facts.emr_primary_nodes,
    "EmrPublicAccessBlock": estate_facts.emr_public_access_block,
    "GuardDuty": account_facts.guardduty,
    "ImageFindings": estate_facts.image_findings,
    "Inspector": account_facts.inspector,
    "InstanceImages": estate_facts.instance_images,
    "InternetGatewayAttachments": estate_facts.internet_gateway_attachments,
    "KeysPendingDeletion": estate_facts.keys_pending_deletion,
    "Macie": account_facts.macie,
    "MacieAutomatedDiscovery": account_facts.macie_discovery,
    "ManagedCompliance": estate_facts.managed_compliance,
    "ManagedInstances": estate_facts.managed_instances,
    "NeptuneSnapshots": lambda place: estate_facts.cluster_snapshots(place.gateway(Neptune)),
    "NetworkAclsInUse": estate_facts.network_acls_in_use,
    "ProtectedResources": estate_facts.protected_resources,
    "PublicDatabaseSnapshots": estate_facts.public_database_snapshots,
    "PublicDocuments": estate_facts.public_documents,
    "PublicImages": estate_facts.public_images,
    "PublicSnapshots": estate_facts.public_snapshots,
    "RecoveryPoints": estate_facts.recovery_points,
    "RegistryScanning": estate_facts.registry_scanning,
    "RestoreTests": estate_facts.restore_tests,
    "Secrets": estate_facts.secrets,
    "SecurityGroupsInUse": estate_facts.security_groups_in_use,
    "SecurityHub": account_facts.security_hub,
    "SnapshotBlockPublicAccess": lambda place: place.ec2.snapshot_block_public_access(),
    "Stacks": estate_facts.stacks,
    "StoppedInstances": estate_facts.stopped_instances,
    "Trails": account_facts.trails,
    "UnencryptedDatabaseSnapshots": estate_facts.unencrypted_database_snapshots,
    "VpnTunnels": estate_facts.vpn_tunnels,
}
"""Facts that each region has of its own."""

FACTS: Mapping[str, Ask] = {**ACCOUNT_WIDE, **REGIONAL}
"""Every fact that can be read, by the name that policies use."""

BASIC = (
    "AccountSummary",
    "EbsEncryptionByDefault",
    "PasswordPolicy",
    "S3PublicAccessBlock",
    "SnapshotBlockPublicAccess",
)
"""One cheap call each: what is read when nobody says which facts the policies need."""


def read_account(place: Place, facts: Collection[str] | None = None) -> Iterator[Resource | Gap]:
    """The account as a resource with ``facts`` as its properties (`BASIC` by default), then gaps.

    `driftguard.rules.facts_of` says which the chosen policies need.  A fact whose answer is "there is none"
    is null; one that was not read is missing, and not covered.  Raises `CredentialsError`.
    """
    properties: dict[str, Json] = {}
    covered: set[str] = set()
    gaps: list[Gap] = []
    for name in sorted(set(BASIC if facts is None else facts) & set(FACTS)):
        try:
            value = FACTS[name](place)
        except AwsError as error:
            gaps.append(gap_of(error, place.account, place.region, type_name=ACCOUNT, identifier=name))
            continue
        covered.add(name)
        properties[name] = value
    yield Resource(
        key=ResourceKey(
            partition=place.partition,
            account=place.account,
            region=place.region,
            type=ACCOUNT,
            identifier=place.account,
        ),
        properties=properties,
        source=Source.SERVICE,
        coverage=frozenset(covered),
        state_hash=state_hash(properties),
    )
    yield from gaps
