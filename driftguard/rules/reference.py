"""The catalogue as a page to read."""

from __future__ import annotations

from collections import defaultdict

from driftguard.rules.policy import Policy


def policy_section(policy: Policy) -> str:
    """One policy as Markdown."""
    lines = [f"### {policy.id}", "", f"{policy.title} ({policy.severity.lower()})", ""]
    if policy.description:
        lines += [policy.description, ""]
    lines.append(f"- Types: {', '.join(f'`{name}`' for name in policy.resource_types)}")
    if policy.judges != "both":
        lines.append(f"- Judged on: {policy.judges} resources only")
    if policy.applies_when:
        lines.append(f"- Applies when: `{_one_line(policy.applies_when.text)}`")
    lines.append(f"- Asserts: `{_one_line(policy.asserts.text)}`")
    for name, spec in policy.parameters.items():
        shown = f"default `{spec.default}`" if spec.default is not None else "optional"
        shown = "required" if name in policy.required else shown
        lines.append(f"- Parameter `{name}` ({spec.type}, {shown}): {spec.description}".rstrip(": "))
    for framework, controls in sorted(policy.frameworks.items()):
        lines.append(f"- {framework}: {', '.join(controls)}")
    if policy.custom:
        lines.append("- Frameworks: custom")
    if policy.aliases:
        lines.append(f"- Also called: {', '.join(policy.aliases)}")
    if policy.remedy:
        lines.append(f"- Remedy: `{policy.remedy}`")
    lines.append(f"- Source: <{policy.source}>")
    return "\n".join([*lines, ""])


def _service(policy: Policy) -> str:
    parts = policy.resource_types[0].split("::")
    return "Any" if len(parts) < 2 else parts[1] or "Account"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def reference_page() -> str:
    """docs/reference/policies.md: every policy that ships, by service."""
    from driftguard.rules.shipped import load_all

    catalogue = load_all()
    services: dict[str, list[Policy]] = defaultdict(list)
    for policy in catalogue.policies:
        services[_service(policy)].append(policy)
    lines = [
        "# Policies",
        "",
        f"{len(catalogue.policies)} policies ship with driftguard. Each one is a file under `policies/rules`, judged the",
        "same way on a template and on the live resource, and says its title and message in English and Korean. This page",
        "is generated from those files.",
        "",
    ]
    for service, policies in sorted(services.items()):
        lines += [f"## {service}", ""]
        lines += [policy_section(policy) for policy in sorted(policies, key=lambda one: one.id)]
    return "\n".join(lines)
