"""What live reading knows of each type, as pages to read."""

from __future__ import annotations

from driftguard.live.shapes import all_shapes
from driftguard.schema import registry

_CONFIG_DOCS = "https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html"


def shapes_page() -> str:
    """docs/reference/config-shapes.md: what an AWS Config item of a mapped type can show."""
    shapes = all_shapes()
    lines = [
        "# AWS Config items that are mapped",
        "",
        f"Most items of AWS Config are not in the shape of the CloudFormation registry. For {len(shapes)} types driftguard",
        "maps them, so that bulk reading, history and delivered files serve the same comparison. An item shows only a part",
        "of what can be declared: what it *covers* is compared; what it *does not show* is read with Cloud Control where",
        "that is allowed, and is otherwise named as not checked. It is never called removed. This page is generated from",
        f"`driftguard/live/shapes`. AWS lists the types that it records under <{_CONFIG_DOCS}>.",
        "",
    ]
    for shape in shapes:
        schema = registry().get(shape.type)
        covered = sorted(shape.coverage)
        writable = (
            [name for name in schema.root.names if not schema.is_read_only((name,))]
            if schema is not None
            else []
        )
        secret = [name for name in writable if schema is not None and schema.is_write_only((name,))]
        tags = {schema.tag_property} if schema is not None else set()
        hidden = sorted(set(writable) - set(covered) - set(secret) - tags)
        lines += [f"## {shape.type}", "", f"- Covers {len(covered)}: {_names(covered)}"]
        if hidden:
            lines.append(f"- Does not show {len(hidden)}: {_names(hidden)}")
        if secret:
            lines.append(f"- Nobody can read: {_names(sorted(secret))}")
        if shape.blind:
            lines.append(f"- Not covered where the declaration uses: {_names(sorted(shape.blind))}")
        lines.append("")
    return "\n".join(lines)


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
