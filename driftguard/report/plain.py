"""A finding in plain sentences, for machines that show text to people."""

from __future__ import annotations

from driftguard.model import Finding


def described(finding: Finding, limit: int = 4000) -> str:
    """Title, message and who did it; never empty."""
    title = finding.title.rstrip(".")
    parts = [f"{title}." if title else "", finding.message]
    by = finding.changed_by
    if by is not None:
        parts.append(f"Changed by {by.principal} ({by.source}, {by.event}) at {by.time:%Y-%m-%d %H:%M} UTC.")
    text = " ".join(part for part in parts if part) or finding.subject or finding.kind.value
    return text if len(text) <= limit else text[: limit - 1] + "…"
