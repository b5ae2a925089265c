"""The functions that policies may call, beside JMESPath's own.

Each function is declared once, with what it needs and a sentence for the reference page.  ``sees_holes``
says that it decides by itself what a value that is not known means; every other function is not called at
all when an argument holds one, and the answer is not known either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jmespath.functions
from jmespath.visitor import Visitor, _Expression

from driftguard.model import Partial, Source, Unknown
from driftguard.rules import backups, documents, network, pipelines, relations, tags, text
from driftguard.rules.values import (
    HOLES,
    OPAQUE,
    Maybe,
    Reference,
    Secret,
    Supplied,
    Unseen,
    negate,
    plain,
    reason,
    same,
    some,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One function of the language.  ``arguments`` are names; a name that starts with ``&`` is an expression."""

    name: str
    run: Callable[..., Any]
    arguments: tuple[str, ...]
    help: str
    optional: int = 0
    variadic: bool = False
    sees_holes: bool = False
    context: bool = False
    makes_holes: bool = False
    standard: bool = False

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"

    def check(self, children: Sequence[Mapping[str, Any]], error: type[Exception]) -> None:
        """Raise ``error`` unless number and kind of the arguments fit."""
        least, most = len(self.arguments) - self.optional, len(self.arguments)
        if len(children) < least or (len(children) > most and not self.variadic):
            raise error(f"{self.name}() is called with {len(children)} arguments; it is {self.signature}.")
        for argument, child in zip(self.arguments, children, strict=False):
            if argument.startswith("&") != (child["type"] == "expref"):
                raise error(f"an argument of {self.name}() has the wrong kind; it is {self.signature}.")


class _Caller(Visitor):
    """What jmespath's own functions call to evaluate an expression argument: a compiled function."""

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        return node(*args, **kwargs)


_CALLER = _Caller()
_STANDARD = jmespath.functions.Functions()


def _delegate(name: str, expressions: frozenset[int]) -> Callable[..., Any]:
    """JMESPath's own function, its expression arguments given as compiled functions."""

    def call(*arguments: Any) -> Any:
        given = [
            _Expression(value, _CALLER) if at in expressions else value for at, value in enumerate(arguments)
        ]
        return _STANDARD.call_function(name, given)

    return call


_STANDARD_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "abs": ("number",),
    "avg": ("numbers",),
    "ceil": ("number",),
    "ends_with": ("text", "suffix"),
    "floor": ("number",),
    "join": ("glue", "strings"),
    "keys": ("object",),
    "map": ("&expression", "list"),
    "max": ("list",),
    "max_by": ("list", "&expression"),
    "min": ("list",),
    "min_by": ("list", "&expression"),
    "reverse": ("list",),
    "sort": ("list",),
    "sort_by": ("list", "&expression"),
    "starts_with": ("text", "prefix"),
    "sum": ("numbers",),
    "to_number": ("value",),
    "to_string": ("value",),
    "type": ("value",),
    "values": ("object",),
}


def _length(value: Any) -> Any:
    if value.__class__ is list:
        maybe = next((item for item in value if item.__class__ is Maybe), None)
        if maybe is not None:
            return maybe.why
    elif value.__class__ in HOLES:
        return Unknown(reason(value))
    return _STANDARD.call_function("length", [value])


def _contains(collection: Any, value: Any) -> Any:
    if collection.__class__ is list:
        return some(_element_is(item, value) for item in collection)
    if collection.__class__ is Partial:
        literal = any(value in part for part in collection.parts if isinstance(part, str))
        return True if literal else Unknown(collection.reason)
    for side in (collection, value):
        if side.__class__ in HOLES:
            return Unknown(reason(side))
    return _STANDARD.call_function("contains", [collection, value])


def _element_is(item: Any, value: Any) -> Any:
    if item.__class__ is Maybe:
        return False if same(item.value, value) is False else item.why
    return same(item, value)


def _has(collection: Any, value: Any) -> Any:
    if collection is None:
        return False
    if collection.__class__ in OPAQUE:
        return Unknown(reason(collection))
    return _contains(collection if collection.__class__ is list else [collection], value)


def _one_of(value: Any, choices: Any) -> Any:
    return _has(text.listed(choices), value)


def _present(value: Any) -> Any:
    if value.__class__ in HOLES:
        return Unknown(reason(value)) if value.__class__ in (Unseen, Maybe) else True
    return not (value is None or value == "" or value == [] or value == {})


def _absent(value: Any) -> Any:
    return negate(_present(value))


def _is_true(value: Any) -> Any:
    if value.__class__ in OPAQUE or value.__class__ is Partial:
        return Unknown(reason(value))
    return value is True or (value.__class__ is str and value.lower() == "true")


def _is_false(value: Any) -> Any:
    if value.__class__ in OPAQUE or value.__class__ is Partial:
        return Unknown(reason(value))
    return value is False or (value.__class__ is str and value.lower() == "false")


def _json(value: Any) -> Any:
    return Unknown(reason(value)) if value.__class__ in HOLES else text.json_of(value)


def _count(value: Any) -> Any:
    if value is None:
        return 0
    return _length(value) if value.__class__ in (list, dict) or value.__class__ in OPAQUE else 1


def _as_list(value: Any) -> Any:
    if value is None:
        return []
    return value if value.__class__ is list or value.__class__ in OPAQUE else [value]


def _not_null(*values: Any) -> Any:
    for value in values:
        if value.__class__ in (Unseen, Maybe):
            return Unseen(reason(value))
        if value is not None:
            return value
    return None


def _is_reference(value: Any) -> bool:
    return value.__class__ is Reference


def _is_live(c: relations.Judged) -> bool:
    return c.resource.source is not Source.TEMPLATE


def _unlisted(c: relations.Judged, name: str) -> Any:
    return plain(c.resource.properties.get(name))


def _secure_parameter(value: Any) -> bool:
    return value.__class__ is Supplied and value.no_echo and not value.default


def _own(name: str, run: Callable[..., Any], arguments: str, help: str, **flags: Any) -> Function:
    return Function(name=name, run=run, arguments=tuple(arguments.split()), help=help, **flags)


def _table() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for name, arguments in _STANDARD_ARGUMENTS.items():
        expressions = frozenset(at for at, text in enumerate(arguments) if text.startswith("&"))
        run = _delegate(name, expressions)
        found[name] = Function(name=name, run=run, arguments=arguments, help="JMESPath's own.", standard=True)
    for function in (*_values(), *_documents(), *_network(), *_relations()):
        found[function.name] = function
    return found


def _values() -> tuple[Function, ...]:
    hole = {"sees_holes": True}
    return (
        _own("length", _length, "subject", "JMESPath's own.", standard=True, **hole),
        _own("contains", _contains, "subject search", "JMESPath's own.", standard=True, **hole),
        _own("not_null", _not_null, "value", "JMESPath's own.", standard=True, variadic=True, **hole),
        _own(
            "to_array", lambda v: v if v.__class__ is list else [v], "value", "JMESPath's own.", standard=True
        ),
        _own(
            "merge",
            _delegate("merge", frozenset()),
            "object",
            "JMESPath's own.",
            standard=True,
            variadic=True,
        ),
        _own("present", _present, "value", "Neither null nor an empty string, list or object.", **hole),
        _own("absent", _absent, "value", "The opposite of present().", **hole),
        _own("is_true", _is_true, "value", "true, or the text 'true' as templates write it.", **hole),
        _own("is_false", _is_false, "value", "false, or the text 'false'.  Null is neither.", **hole),
        _own("count", _count, "value", "The length; 0 of null, 1 of a single value.", **hole),
        _own("as_list", _as_list, "value", "A list: empty for null, of one for a single value.", **hole),
        _own(
            "has",
            _has,
            "list value",
            "Whether the list (or single value) holds the value; false for null.",
            **hole,
        ),
        _own(
            "one_of",
            _one_of,
            "value choices",
            "Whether the value is one of the choices (a list or 'a,b').",
            **hole,
        ),
        _own(
            "is_reference",
            _is_reference,
            "value",
            "Whether the value is the id of a resource of the template.",
            **hole,
        ),
        _own(
            "is_parameter",
            lambda v: v.__class__ is Supplied,
            "value",
            "Whether the value is a template parameter without a known value.",
            **hole,
        ),
        _own(
            "secure_parameter",
            _secure_parameter,
            "value",
            "Whether the value is a NoEcho parameter without a default.",
            **hole,
        ),
        _own("number", text.number, "value", "A number out of a number or a text; else null."),
        _own("lower", text.lower, "value", "Lower case; null stays null."),
        _own(
            "matches",
            text.matches,
            "value regex",
            "Whether the regular expression is found in the text; false for null.",
        ),
        _own("unique", text.unique, "list", "The list without repetitions."),
        _own("share", text.share, "number percent", "So many per cent of a number."),
        _own("days", backups.days, "number unit", "Minutes, hours, days or weeks, in days."),
        _own(
            "longest_gap_days",
            backups.longest_gap_days,
            "schedule",
            "The longest time between two runs of a cron() or rate() schedule.",
        ),
        _own("split", text.split, "value separator", "The parts of a text, trimmed, without empty ones."),
        _own(
            "json",
            _json,
            "value",
            "The value of a JSON text (URL-encoded or not); an object stays as it is.",
            **hole,
        ),
        _own(
            "version_at_least",
            text.version_at_least,
            "version least",
            "Compares dotted versions number by number.",
        ),
        _own(
            "age_days",
            text.age_days,
            "time",
            "Days since an instant (ISO 8601 or epoch seconds); null for null.",
            context=True,
        ),
        _own(
            "secret_reference",
            lambda v: v.__class__ is Secret,
            "value",
            "Whether the value is a dynamic reference to Secrets Manager or a secure parameter.",
            **hole,
        ),
    )


def _documents() -> tuple[Function, ...]:
    hole = {"sees_holes": True}
    return (
        _own("statements", documents.statements, "document",
             "The statements of a policy document, every element a list, principals as texts.", **hole),
        _own("allows_public", documents.allows_public, "document",
             "Whether a statement allows everybody something without a condition that narrows it.", **hole),
        _own("denies_insecure_transport", documents.denies_insecure_transport, "document",
             "Whether requests without TLS are denied to everybody.", **hole),
        _own("covers_action", documents.covers_action, "patterns action",
             "Whether a list of action patterns covers the action.", **hole),
        _own("statements_allowing", documents.statements_allowing, "document patterns",
             "The statements that allow an action which one of the patterns covers, or covers in part.", **hole),
        _own("unapproved_changes", pipelines.unapproved_changes, "stages production",
             "The actions of a pipeline that change a production stack without an approved change set.", **hole),
        _own("grants_admin", documents.grants_admin, "document",
             "Whether a statement allows every action on every resource.", **hole),
    )  # fmt: skip


def _network() -> tuple[Function, ...]:
    return (
        _own("is_world", network.is_world, "cidr", "0.0.0.0/0 or ::/0, in any spelling.", sees_holes=True),
        _own("cidr_contains", network.cidr_contains, "outer inner", "Whether one range holds the other."),
        _own("is_private", network.is_private, "cidr", "Whether the range is not routed in the internet."),
        _own("port_range_covers", network.port_range_covers, "from to port",
             "Whether the port is inside the range; -1 or null means all."),
        _own("opens_port", network.opens_port, "rule port protocol", optional=1, sees_holes=True,
             help="Whether a security group or network ACL rule opens the port for the protocol (tcp)."),
        _own("ports", network.port_list, "text", "'20-22,443' as a list of [first, last]."),
        _own("range_within", network.range_within, "from to text", "Whether a range of ports lies within '20-22,443'."),
    )  # fmt: skip


def _relations() -> tuple[Function, ...]:
    holes = {"sees_holes": True, "context": True, "makes_holes": True}
    return (
        _own("related", relations.related, "type pointer",
             "Resources of the type whose property (a pointer) names this resource.", **holes),
        _own("resource_of", relations.resource_of, "type value",
             "The resource of the type that the value names, or null.", **holes),
        _own("resources", relations.resources, "type", "All resources of the type beside this one.", **holes),
        _own("account", relations.account, "fact", "A fact of the account: see the account facts.", **holes),
        _own("attribute", relations.attribute, "name",
             "A resource attribute beside Properties, such as DeletionPolicy; unknown when live.", **holes),
        _own("tag", relations.tag, "key", "The value of the resource's tag, or null.", **holes),
        _own("is_live", _is_live, "", "Whether the resource is live, not one of a template.",
             context=True, sees_holes=True),
        _own("unlisted", _unlisted, "name",
             "A top-level property that the schema does not know, as templates sometimes have them.",
             context=True, sees_holes=True),
        _own("tags", tags.tags, "", "The tags as an object, without those of AWS.", **holes),
        _own("tagged", tags.tagged, "object", "Whether the resource has all these tags; true for null.", **holes),
        _own("backup_plans", backups.backup_plans, "", "The backup plans that select the resource.", **holes),
        _own("key", relations.key, "part", "type, account, region, partition, identifier, logical_id or arn.", **holes),
        _own("root", lambda value: value, "&expression", "The expression on the resource's properties themselves."),
    )  # fmt: skip


FUNCTIONS = _table()
BUILT_IN = ("any", "all", "param", "root")
