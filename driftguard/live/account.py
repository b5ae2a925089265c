"""The facts of an account itself, as the one resource ``AWS::::Account``.

Each fact is one or two calls; a fact that may not be read is a gap and is missing from the resource's
coverage, so that nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from driftguard.aws import Place
from driftguard.errors import AwsError, CredentialsError
from driftguard.live.canonical import state_hash
from driftguard.live.gaps import gap_of
from driftguard.model import Gap, Json, Resource, ResourceKey, Source

ACCOUNT = "AWS::::Account"
Ask = Callable[[Place], Json]

FACTS: Mapping[str, Ask] = {
    "AccountSummary": lambda place: place.iam.account_summary(),
    "EbsEncryptionByDefault": lambda place: place.ec2.ebs_encryption_by_default(),
    "PasswordPolicy": lambda place: place.iam.password_policy(),
    "PublicAccessBlockConfiguration": lambda place: place.s3control.public_access_block(),
    "SnapshotBlockPublicAccess": lambda place: place.ec2.snapshot_block_public_access(),
}
"""Every fact that can be read, by the name that policies use."""


def read_account(place: Place, facts: tuple[str, ...] | None = None) -> Iterator[Resource | Gap]:
    """The account as a resource with ``facts`` as its properties (all known ones by default), then gaps.

    A fact whose answer is "there is none" is covered and absent.  Raises `CredentialsError`.
    """
    properties: dict[str, Json] = {}
    covered: set[str] = set()
    gaps: list[Gap] = []
    for name in sorted(FACTS if facts is None else set(facts) & set(FACTS)):
        try:
            value = FACTS[name](place)
        except CredentialsError:
            raise
        except AwsError as error:
            gaps.append(gap_of(error, place.account, place.region, type_name=ACCOUNT, identifier=name))
            continue
        covered.add(name)
        if value is not None:
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
