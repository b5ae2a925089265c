"""The functions that policies may call, beside JMESPath's own.

Each function is declared once, with what it needs and a sentence for the reference page.  ``sees_holes``
says that it decides by itself what a value that is not known means; every other function is not called at
all when an argument holds one, and the answer is not known either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftguard.model import Source
from driftguard.rules import backups, documents, network, partly, pipelines, presence, relations, tags, text
from driftguard.rules.standard import ARGUMENTS, delegate
from driftguard.rules.values import (
    plain,
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
    boolean: bool = False
    """Without holes it answers True or False and nothing else."""

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


def _is_live(c: relations.Judged) -> bool:
    return c.resource.source is not Source.TEMPLATE


def _unlisted(c: relations.Judged, name: str) -> Any:
    return plain(c.resource.properties.get(name))


def _to_array(value: Any) -> list[Any]:
    return value if value.__class__ is list else [value]


def _own(name: str, run: Callable[..., Any], arguments: str, help: str, **flags: Any) -> Function:
    return Function(name=name, run=run, arguments=tuple(arguments.split()), help=help, **flags)


def _table() -> dict[str, Function]:
    found: dict[str, Function] = {}
    for name, arguments in ARGUMENTS.items():
        expressions = frozenset(at for at, text in enumerate(arguments) if text.startswith("&"))
        run = delegate(name, expressions)
        found[name] = Function(name=name, run=run, arguments=arguments, help="JMESPath's own.", standard=True)
    tables = (_standard(), _presence(), _conversions(), _documents(), _network(), _relations())
    for function in (one for table in tables for one in table):
        found[function.name] = function
    return found


def _standard() -> tuple[Function, ...]:
    own: dict[str, Any] = {"help": "JMESPath's own.", "standard": True}
    return (
        _own("length", presence.length, "subject", sees_holes=True, **own),
        _own("contains", presence.contains, "subject search", sees_holes=True, **own),
        _own("not_null", presence.not_null, "value", variadic=True, sees_holes=True, **own),
        _own("to_array", _to_array, "value", **own),
        _own("keys", partly.keys, "object", sees_holes=True, **own),
        _own("values", partly.values, "object", sees_holes=True, **own),
        _own("starts_with", partly.starts_with, "text prefix", sees_holes=True, boolean=True, **own),
        _own("ends_with", partly.ends_with, "text suffix", sees_holes=True, boolean=True, **own),
        _own("merge", delegate("merge", frozenset()), "object", variadic=True, **own),
    )


def _presence() -> tuple[Function, ...]:
    rows = (
        ("present", presence.present, "value", "Neither null nor an empty string, list or object."),
        ("absent", presence.absent, "value", "The opposite of present()."),
        ("is_true", presence.is_true, "value", "true, or the text 'true' as templates write it."),
        ("is_false", presence.is_false, "value", "false, or the text 'false'.  Null is neither."),
        ("count", presence.count, "value", "The length; 0 of null, 1 of a single value."),
        ("as_list", presence.as_list, "value", "A list: empty for null, of one for a single value."),
        ("has", presence.has, "list value", "Whether the list (or single value) holds the value; false for null."),
        ("one_of", presence.one_of, "value choices", "Whether the value is one of the choices (a list or 'a,b')."),
        ("is_reference", presence.is_reference, "value", "Whether the value is the id of a resource."),
        ("is_parameter", presence.is_parameter, "value", "Whether the value is a parameter without a known value."),
        ("secure_parameter", presence.secure_parameter, "value", "Whether it is a NoEcho parameter without a default."),
        ("secret_reference", presence.secret_reference, "value",
         "Whether the value is a dynamic reference to Secrets Manager or a secure parameter."),
        ("json", presence.json, "value", "The value of a JSON text (URL-encoded or not); an object stays as it is."),
    )  # fmt: skip
    others = ("count", "as_list", "json")
    return tuple(_own(*row, sees_holes=True, boolean=row[0] not in others) for row in rows)


def _conversions() -> tuple[Function, ...]:
    return (
        _own("number", text.number, "value", "A number out of a number or a text; else null."),
        _own("lower", text.lower, "value", "Lower case; null stays null."),
        _own("matches", partly.matches, "value regex", sees_holes=True, boolean=True,
             help="Whether the regular expression is found in the text; false for null."),
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
        _own("version_at_least", text.version_at_least, "version least", "Compares dotted versions number by number."),
        _own("age_days", text.age_days, "time", "Days since an instant (ISO 8601 or epoch seconds); null for null.",
             context=True),
    )  # fmt: skip


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
