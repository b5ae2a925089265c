"""Whether an event names a resource: the whole of its identifier, never a piece of it.

Many resources are called ``prod``, and every default route goes to ``0.0.0.0/0``; what tells them apart is what they
belong to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from driftguard.attribution.events import LONGEST, Leaf, TrailEvent
from driftguard.attribution.kinds import head_of_another
from driftguard.attribution.text import Arn, arn_of, plain
from driftguard.model import Drift, ResourceKey

Target = Mapping[str, int]
"""The pieces that must all be named, and how often: a service may be called what its cluster is."""
_GENERATED = re.compile(r"[a-z][a-z-]*-[0-9a-f]{8,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
"""What Secrets Manager adds to the name of a secret in its ARN."""
_OTHERS = ("source", "peer")
"""How keys begin that name what a resource is made from or tied to."""
_RULE = "AWS::Events::Rule"
"""Has the name of its bus in its ARN, but not that of the default one."""


def named_in(key: ResourceKey, targets: Sequence[Target], event: TrailEvent) -> tuple[Leaf, ...] | None:
    """What ``event`` asks for the resource that ``targets`` are names of; ``None`` if it does not name it.

    Of a call for many resources only what it says of this one counts.
    """
    targets = [target for target in targets if target.keys() <= event.mentions]
    if not targets or any(part in event.refused for target in targets for part in target):
        return None
    for target in targets:
        for leaves in _choices(target, key, event.leaves):
            if _all_said(target, (leaf.value for leaf in _naming(leaves)), key):
                return leaves
    filed = event.named - {leaf.value for leaf in event.leaves}
    # What the call made has its id in the answer, and what it belongs to in the question.
    belongs = {leaf.value for leaf in _naming(event.leaves) if _list_of(leaf) is None}
    named = any(_all_said(target, filed | (belongs if len(target) > 1 else set()), key) for target in targets)
    return event.leaves if named else None


def names_of(drift: Drift, arn: str | None) -> Iterator[Target]:
    """The ways to name the resource, each of which is enough."""
    key = drift.key
    whole = key.identifier
    pieces = whole.split("|")
    for text in dict.fromkeys([arn or "", whole, drift.physical_id]):
        if not text or (text == drift.physical_id != whole and not _own_name(drift.physical_id, key)):
            continue
        yield {plain(text): 1}
    if len(pieces) == 1:
        for text in dict.fromkeys([arn or "", whole, drift.physical_id]):
            yield from _inside(text, key)
        return
    wanted: Counter[str] = Counter()
    for piece in pieces:
        found = arn_of(piece)
        own = found is not None and not head_of_another(key.type, found.head)
        wanted |= Counter(found.parts) if found is not None and own else Counter([plain(piece)])
    yield wanted


def _own_name(physical_id: str, key: ResourceKey) -> bool:
    """Whether a physical id alone means this resource and no other."""
    pieces = key.identifier.split("|")
    found = arn_of(physical_id)
    if found is not None:
        return not head_of_another(key.type, found.head)
    if len(pieces) == 1:
        whole = arn_of(key.identifier)
        return key.type != _RULE and (whole is None or len(whole.parts) < 2 or physical_id not in whole.parts)
    url_or_id = physical_id.startswith("https://") or _GENERATED.fullmatch(physical_id) is not None
    return url_or_id and physical_id not in pieces


def _inside(text: str, key: ResourceKey) -> Iterator[Target]:
    """The names inside a URL, an ARN or a physical id of several pieces."""
    if text.startswith("https://"):
        yield {text.rsplit("/", 1)[-1]: 1}
    elif "|" in text:
        yield Counter(plain(piece) for piece in text.split("|"))
    elif (found := arn_of(text)) is not None and found.rest:
        yield from _inside_arn(found, key)


def _inside_arn(found: Arn, key: ResourceKey) -> Iterator[Target]:
    if key.type == _RULE:
        yield Counter(found.parts if len(found.parts) > 1 else ["default", *found.parts])
        return
    yield {found.rest: 1}
    if found.service == "iam":  # paths do not make names: one account has one role of a name
        yield {found.parts[-1]: 1}
    elif found.service == "secretsmanager":
        yield {_SUFFIX.sub("", found.rest): 1}
    else:
        yield Counter(found.parts)


def _naming(leaves: Iterable[Leaf]) -> Iterator[Leaf]:
    """The leaves that may name what a call is about, not what it only ties to that.

    A key that stands on top means the resource; the same key further down means another one
    (the security group that a rule of this one lets in).
    """
    kept = list(leaves)
    top = {leaf.names[0].lower() for leaf in kept if len(leaf.names) == 1 and len(leaf.path) == 1}
    for leaf in kept:
        last = leaf.names[-1].lower() if leaf.names else ""
        if last.startswith(_OTHERS) or (len(leaf.path) > 1 and last in top):
            continue
        yield leaf


def _choices(target: Target, key: ResourceKey, leaves: tuple[Leaf, ...]) -> Iterator[tuple[Leaf, ...]]:
    """``leaves``, or those of them that are left when one element is taken of the list that names resources."""
    outside = [leaf for leaf in leaves if _list_of(leaf) is None]
    if _all_said(target, (leaf.value for leaf in _naming(outside)), key):
        yield leaves
        return
    elements: dict[tuple[str | int, ...], dict[str | int, list[Leaf]]] = {}
    for leaf in leaves:
        at = _list_of(leaf)
        if at is not None:
            elements.setdefault(leaf.path[:at], {}).setdefault(leaf.path[at], []).append(leaf)
    for path, members in elements.items():
        rest = tuple(leaf for leaf in leaves if leaf.path[: len(path)] != path)
        for member in members.values():
            if _counted(target, (leaf.value for leaf in member), key):
                # Where it stood in the list is of no more account: it is what the call asks for this resource.
                yield (*rest, *(Leaf((*path, *leaf.path[len(path) + 1 :]), leaf.value) for leaf in member))


def _list_of(leaf: Leaf) -> int | None:
    return next((at for at, step in enumerate(leaf.path) if isinstance(step, int)), None)


def _all_said(target: Target, values: Iterable[str], key: ResourceKey) -> bool:
    counted = _counted(target, values, key)
    return all(counted[part] >= times for part, times in target.items())


def _counted(target: Target, values: Iterable[str], key: ResourceKey) -> Counter[str]:
    """How often each piece of ``target`` is said."""
    said: Counter[str] = Counter()
    for value in values:
        if len(value) > LONGEST:
            continue
        name = plain(value)
        found = arn_of(value)
        if name in target:
            said[name] += 1
        elif found is not None and _here(found, key):
            said.update(part for part in _called(found, target, key) if part in target)
        elif value.startswith("https://") and value.rsplit("/", 1)[-1] in target:
            said[value.rsplit("/", 1)[-1]] += 1
    return said


def _here(found: Arn, key: ResourceKey) -> bool:
    return found.account in ("", key.account) and found.region in ("", key.region)


def _called(found: Arn, target: Target, key: ResourceKey) -> list[str]:
    """What an ARN calls its resource; one of another kind is good for a piece of a name, not for all of it."""
    if len(target) > 1 or max(target.values()) > 1:
        return found.parts
    if head_of_another(key.type, found.head):
        return []
    names = [found.rest, f"{found.head}/{found.rest}", f"/{found.rest}"]
    return [*names, found.parts[-1]] if found.service == "iam" and found.parts else names
