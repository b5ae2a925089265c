"""Of which kind of resource a call is, and what it does to one: told from its name and the registry's handlers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from driftguard.attribution.text import words
from driftguard.schema import registry

_CALLED_AS = {"application-autoscaling": "autoscaling"}
"""What CloudTrail calls a service that shares its endpoint's name with another."""
_FOR_ALL = frozenset(["cloudcontrolapi", "tagging", "resource-groups"])
"""Services whose calls change resources of others.

CloudFormation is none of them: its own calls name a resource as a parameter of a stack, and what a stack does to it
is a call of the resource's service.
"""
_NOUNS = {"eip": "address"}
"""What the API calls a thing where the type name does not."""
_VERSION = re.compile(r"\d{4}_?\d{2}_?\d{2}(v\d+)?$")
_ANEW = frozenset(["create", "run", "restore", "import", "launch", "copy", "allocate", "request"])
"""Verbs that make a resource which was not there."""
_MAKES = _ANEW | {"register", "put"}
"""These as well may set anew what is there."""
_JOINS = frozenset(["authorize", "associate", "attach", "subscribe", "add"])
"""Verbs that make a resource of some types, and change one of most."""
_ENDS = frozenset(["delete", "terminate", "deregister", "release"])
_PARTS = frozenset(
    ["remove", "detach", "disassociate", "disable", "cancel", "revoke", "unsubscribe", "schedule"]
)
"""Verbs that end a resource of some types, and change one of most."""
_LINKS = frozenset(["association", "attachment", "membership", "addition", "permission"])
"""What types are called that hold two resources together: they end when those are parted."""
_TO = frozenset(["in", "from", "to", "of", "for", "with"])
_VAGUE = frozenset([("resource",), ("tag",), ("version",)])
"""Kinds whose names stand in the calls of every other kind."""
_RUNS = frozenset(
    [
        "reboot",
        "run",
        "invoke",
        "execute",
        "send",
        "publish",
        "test",
        "failover",
        "retry",
        "login",
        "assume",
        "generate",
    ]
)
"""Verbs that make a resource work, and leave its configuration as it is."""
_SWITCHES = frozenset(["start", "stop"])
"""Verbs that do the same, unless what they switch is a property itself (StopLogging)."""
_STEM = 5
"""As much of a word as a recorder and its recording share."""
_TAGS = frozenset(["tag", "untag", "tagging"])


def said(call: str) -> list[str]:
    """The words of a call's name without its version: verb first."""
    found = list(words(_VERSION.sub("", call)))
    return found[1:] if found[:1] == ["batch"] else found


def verb_of(call: str) -> str:
    """The first word of a call's name; empty where it has none."""
    return next(iter(said(call)), "")


def answers_ids(call: str) -> bool:
    """Whether the call may make something, whose id its answer tells."""
    return verb_of(call) in _MAKES | _JOINS


def of_service(type_name: str, service: str) -> bool:
    """Whether a call of ``service`` can change a resource of this type.

    Another service's call may name it for what it is to a resource of its own (the key of a database), and
    two services may have resources of one name.
    """
    if not service or service in _FOR_ALL:
        return True
    services = _services(type_name)
    return not services or service in services


def of_another(type_name: str, call: str) -> bool:
    """Whether the call is about another kind of the same service: AttachUserPolicy does nothing to a role.

    The longest kind that its name contains is meant, unless the type's own handlers make the call.
    """
    text = said(call)
    own = max((_longest(text, end) for end in _ends_of(_kind(type_name))), default=0)
    other = max((_longest(text, kind) for kind in _kinds_beside(type_name)), default=0)
    return other > own and not _listed(type_name, call)


def head_of_another(type_name: str, head: str) -> bool:
    """Whether the kind that an ARN gives itself is that of another type of the service."""
    kind = tuple(words(head))
    return bool(kind) and kind != _kind(type_name)[-len(kind) :] and kind in _kinds_beside(type_name)


def makes_one(type_name: str, call: str) -> bool:
    """Whether the call makes a resource of this type: its noun is the type's, not that of a thing beside it."""
    verb, *noun = said(call) or [""]
    if verb in _MAKES:
        return _noun_fits(type_name, _before_preposition(noun))
    return verb in _JOINS and _is_made_by(type_name, call, noun, "create", _MAKES)


def makes_anew(type_name: str, call: str) -> bool:
    """The same for a resource that was not there before."""
    return makes_one(type_name, call) and verb_of(call) in _ANEW


def ends_one(type_name: str, call: str) -> bool:
    """Whether the call ends a resource of this type, and does not only take something away from it."""
    verb, *noun = said(call) or [""]
    if _listed(type_name, call, "delete") and _only_end(type_name):
        return verb in _ENDS | _PARTS
    if verb in _ENDS:
        return _whole(type_name, noun)
    return verb in _PARTS and _is_made_by(type_name, call, noun, "delete", _ENDS)


def _is_made_by(type_name: str, call: str, noun: Sequence[str], handler: str, plain: frozenset[str]) -> bool:
    """Whether a call that joins or parts things is all that there is to making or ending this type.

    It is not where another call of the type's handler does so in plain words: to detach is then less.
    """
    if not _listed(type_name, call, handler):
        return False
    calls = _handlers(type_name).get(handler, ())
    plainly = any(verb_of(name) in plain and _whole(type_name, said(name)[1:]) for name in calls)
    return _kind(type_name)[-1] in _LINKS or (_whole(type_name, noun) and not plainly)


def _whole(type_name: str, noun: Sequence[str]) -> bool:
    """Whether the noun is the type's; what is taken from or for another thing may well go on without it."""
    return _noun_fits(type_name, noun) and not _TO.intersection(noun)


def configures(type_name: str, call: str, wanted: frozenset[str], first: str) -> bool:
    """Whether the call can have changed the property whose words are ``wanted``, ``first`` its top-level name."""
    verb, *noun = said(call) or [""]
    if verb in _RUNS or ends_one(type_name, call):
        return False
    if verb in _SWITCHES:
        telling = set(noun) - set(_kind(type_name))
        stems = {word[:_STEM] for word in wanted}
        return (bool(telling) and telling <= wanted) or (
            bool(stems) and stems <= {word[:_STEM] for word in noun}
        )
    return not _TAGS.intersection([verb, *noun]) or "tag" in words(first)


def _kind(type_name: str) -> tuple[str, ...]:
    return tuple(_NOUNS.get(word, word) for word in words(type_name.rpartition("::")[2]))


def _ends_of(kind: Sequence[str]) -> Iterator[Sequence[str]]:
    """A kind and what is left of it without its first words: a ManagedPolicy is called policy."""
    return (kind[start:] for start in range(len(kind)))


def _longest(text: Sequence[str], kind: Sequence[str]) -> int:
    """The length of ``kind`` if it stands in ``text``, otherwise 0."""
    size = len(kind)
    found = any(tuple(text[at : at + size]) == tuple(kind) for at in range(1, len(text) - size + 1))
    return size if found else 0


def _noun_fits(type_name: str, noun: Sequence[str]) -> bool:
    noun = [word for word in noun if not word.isdigit()]
    kind = _kind(type_name)
    shared = min(len(noun), len(kind))
    return shared > 0 and tuple(noun[-shared:]) == kind[-shared:]


def _before_preposition(noun: Sequence[str]) -> list[str]:
    at = next((at for at, word in enumerate(noun) if word in _TO), len(noun))
    return list(noun[:at])


def _family(type_name: str) -> str:
    return type_name.rpartition("::")[0] + "::"


@cache
def _kinds_beside(type_name: str) -> frozenset[tuple[str, ...]]:
    family = _family(type_name)
    kinds = {_kind(name) for name in registry().types() if name.startswith(family) and name != type_name}
    return frozenset(kinds - _VAGUE)


@cache
def _handlers(type_name: str) -> Mapping[str, frozenset[str]]:
    """Handler -> the names of the calls that it makes, whatever service they are of."""
    schema = registry().get(type_name)
    handlers = schema.handlers if schema is not None else {}
    return {
        handler: frozenset(action.rpartition(":")[2] for action in actions)
        for handler, actions in handlers.items()
    }


def _listed(type_name: str, call: str, *handlers: str) -> bool:
    name = _VERSION.sub("", call)
    known = _handlers(type_name)
    return any(name in known.get(handler, ()) for handler in handlers or known)


@cache
def _only_end(type_name: str) -> bool:
    """Whether the handler that deletes such a resource knows one call that can be meant."""
    calls = [name for name in _handlers(type_name).get("delete", ()) if verb_of(name) in _ENDS | _PARTS]
    return len(calls) == 1


@cache
def _services(type_name: str) -> frozenset[str]:
    """What a type's service is called by IAM and by CloudTrail; empty where the registry does not tell.

    Handlers call other services too, most of all their own: each type of the service says which.
    """
    family = _family(type_name)
    schemas = (registry().get(name) for name in registry().types() if name.startswith(family))
    called = set()
    for schema in schemas:
        listed = [action for actions in schema.handlers.values() for action in actions] if schema else []
        called |= {name for name, _ in Counter(one.partition(":")[0] for one in listed).most_common(1)}
    if not called:
        return frozenset()
    return frozenset(
        [*called, *(_CALLED_AS.get(name, name) for name in called), type_name.split("::")[1].lower()]
    )
