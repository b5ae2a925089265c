"""A plan for people: in short, in full, as Markdown, in numbers; and what came of it."""

from driftguard.remediation.render.full import text as full
from driftguard.remediation.render.markdown import markdown
from driftguard.remediation.render.outcome import counts, outcome
from driftguard.remediation.render.short import sums, text
from driftguard.remediation.render.summary import summary

__all__ = ["counts", "full", "markdown", "outcome", "summary", "sums", "text"]
