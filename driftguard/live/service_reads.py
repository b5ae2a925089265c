"""Types that neither AWS Config nor Cloud Control shows, read from the service's own API.

All are policies that CloudFormation lays on other resources: the registry gives them no read handler.  What
they are laid on is taken from the declaration, so one whose targets are not known cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from driftguard.aws import Place
from driftguard.errors import GoneError
from driftguard.live.canonical import state_hash
from driftguard.live.iam_documents import document
from driftguard.model import DeclaredResource, Json, Resource, ResourceKey, Source

Ask = Callable[[Place, str, str], Json]
"""Place, the target, and the policy's name -> the document, or ``None``; raises `GoneError`."""

_TARGETS: Mapping[str, Mapping[str, Ask]] = {
    "AWS::IAM::Policy": {
        "Groups": lambda place, target, name: place.iam.group_policy(target, name),
        "Roles": lambda place, target, name: place.iam.role_policy(target, name),
        "Users": lambda place, target, name: place.iam.user_policy(target, name),
    },
    "AWS::SNS::TopicPolicy": {"Topics": lambda place, target, _: place.sns.policy(target)},
    "AWS::SQS::QueuePolicy": {"Queues": lambda place, target, _: place.sqs.policy(target)},
}
TYPES = frozenset(_TARGETS)


def readable(declared: DeclaredResource) -> bool:
    """Whether everything is known that is needed to read the policy."""
    if declared.type not in TYPES:
        return False
    targets = list(_declared_targets(declared))
    named = declared.type != "AWS::IAM::Policy" or isinstance(declared.properties.get("PolicyName"), str)
    return bool(targets) and named and all(isinstance(target, str) for _, target in targets)


def read(place: Place, declared: DeclaredResource, key: ResourceKey) -> Resource:
    """The policy as it lies on its targets now; a target that lost it is missing from the list.

    Where targets hold different documents, the first that is not the declared one is shown.  Raises
    `GoneError` when no target has the policy any more, and the other `AwsError` kinds.
    """
    name = str(declared.properties.get("PolicyName", ""))
    wanted = declared.properties.get("PolicyDocument")
    held: dict[str, list[Json]] = {}
    documents: list[Json] = []
    for kind, target in _declared_targets(declared):
        try:
            found = document(_TARGETS[declared.type][kind](place, target, name))
        except GoneError:
            continue
        if found is not None:
            held.setdefault(kind, []).append(target)
            documents.append(found)
    if not documents:
        raise GoneError(f"the policy {key.identifier} lies on none of its targets any more.")
    shown = next((found for found in documents if found != wanted), documents[0])
    properties: dict[str, Json] = {**held, "PolicyDocument": shown}
    if name:
        properties["PolicyName"] = name
    return Resource(
        key=key,
        properties=properties,
        source=Source.SERVICE,
        coverage=frozenset({*_TARGETS[declared.type], "PolicyDocument", "PolicyName"}),
        name=name or None,
        state_hash=state_hash(properties),
    )


def _declared_targets(declared: DeclaredResource) -> Iterator[tuple[str, Json]]:
    for kind in _TARGETS[declared.type]:
        found = declared.properties.get(kind)
        if isinstance(found, list | tuple):
            yield from ((kind, target) for target in found)
        elif found is not None:
            yield kind, found
