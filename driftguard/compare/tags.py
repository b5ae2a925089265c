"""Tags that nobody declared because AWS or the stack put them there."""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.compare.context import CompareContext
from driftguard.model import Json
from driftguard.schema import TypeSchema

# Tags that services put on the resources they use, outside the reserved prefix:
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html
# https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/using-features.tagging.html
# https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html
# https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/aws-myApplications.html
_SERVICE_KEYS = frozenset({"AmazonECSManaged", "awsApplication"})
_SERVICE_PREFIXES = ("elasticbeanstalk:", "eks:")
_KEYS = ("Key", "TagKey", "key", "tagKey")
_VALUES = ("Value", "TagValue", "value", "tagValue")


def holds_tags(path: tuple[str | int, ...], schema: TypeSchema | None) -> bool:
    """Whether the property at ``path`` holds tags: the type's own tag property, or one that is named so."""
    name = path[-1] if path else ""
    if not isinstance(name, str):
        return False
    if schema is not None and len(path) == 1 and name == schema.tag_property:
        return True
    return name.endswith(("Tags", "TagList", "TagSet")) or name == "tags"


def foreign(tag_key: str, tag_value: Json, context: CompareContext) -> str | None:
    """The rule by which the tag is nobody's declaration: ``aws-tags``, ``stack-tags``, ``service-tags``, or `None`."""
    if tag_key.startswith("aws:"):
        return "aws-tags"
    if context.stack_tags.get(tag_key) == tag_value:
        return "stack-tags"
    if tag_key in _SERVICE_KEYS or tag_key.startswith(_SERVICE_PREFIXES):
        return "service-tags"
    return None


def pair(tag: Json) -> tuple[str, Json] | None:
    """Key and value of a member of a tag list."""
    if not isinstance(tag, Mapping):
        return None
    name = next((tag[word] for word in _KEYS if isinstance(tag.get(word), str)), None)
    return None if name is None else (name, next((tag[word] for word in _VALUES if word in tag), None))


def without_foreign(live: Json, declared: Json, context: CompareContext) -> tuple[Json, frozenset[str]]:
    """The live tags without foreign ones, unless declared, and the rules that were used."""
    used: set[str] = set()

    def keep(name: str, value: Json, own: frozenset[str]) -> bool:
        rule = None if name in own else foreign(name, value, context)
        if rule is not None:
            used.add(rule)
        return rule is None

    if isinstance(live, Mapping):
        own = frozenset(declared) if isinstance(declared, Mapping) else frozenset()
        kept: Json = {name: value for name, value in live.items() if keep(name, value, own)}
    elif isinstance(live, list | tuple):
        pairs = [pair(tag) for tag in declared] if isinstance(declared, list | tuple) else []
        own = frozenset(found[0] for found in pairs if found is not None)
        kept = [tag for tag in live if (found := pair(tag)) is None or keep(*found, own)]
    else:
        return live, frozenset()
    return kept, frozenset(used)
