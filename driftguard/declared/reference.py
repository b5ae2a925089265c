"""How identifiers are told, as a page to read."""

from __future__ import annotations

from driftguard.declared.identifiers import exceptions
from driftguard.schema import registry

_AWS = "https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-identifier.html"


def identifiers_page() -> str:
    """docs/reference/identifiers.md: types whose identifier is not simply CloudFormation's physical id."""
    special = exceptions()
    rows = []
    simple = 0
    for name in registry().types():
        schema = registry().get(name)
        if schema is None or not schema.readable:
            continue
        parts = [pointer[-1] for pointer in schema.primary_identifier]
        if name in special:
            rows.append((name, parts, f"`{special[name]}`"))
        elif len(parts) > 1:
            rows.append((name, parts, "physical id and declared properties, in this order"))
        elif parts and parts[0].lower().endswith("arn"):
            rows.append((name, parts, "the physical id where it is an ARN; else told by AWS Config"))
        else:
            simple += 1
    lines = [
        "# Identifiers",
        "",
        f"A resource is known by its Cloud Control identifier (<{_AWS}>). For {simple} of the readable types that is",
        "CloudFormation's physical id. For the types below it is not, or not always; what cannot be told without a guess",
        "is named as not checked. `{physical}` is the physical id, other names in braces are declared properties or the",
        "place. This page is generated from the registry schemas and `driftguard/declared/data/identifiers.json`.",
        "",
        "| Type | Identifier | Told by |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{name}` | `{'|'.join(parts)}` | {how} |".replace("|".join(parts), "\\|".join(parts))
        for name, parts, how in rows
    ]
    return "\n".join([*lines, ""])
