"""A sentence that is kept in English, told in the reader's language.  Pure.

Findings and verdicts hold what a policy said, its parameters filled in, as one English text.  That text is known
again by the form that it was made of, so that it can be told in another language however long ago it was kept,
and whatever was redacted in it.  What is not known again stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

from driftguard.model import Finding, FindingKind, PolicySummary, Report
from driftguard.report.messages import Messages, messages

_PLACE = re.compile(r"\{(\w+)\}")
_OURS = "said."
"""The keys of the catalogue that hold sentences of our own which stand where a policy's message does."""


def policy_title(policy: PolicySummary | None, say: Messages) -> str:
    """The policy's title in the reader's language; nothing where it has none but the English one."""
    return policy.title_ko if policy is not None and say.lang == "ko" else ""


def message_of(finding: Finding, policies: Mapping[str, PolicySummary], say: Messages) -> str:
    """What is said of a finding.  Drift is told by its values, and its sentence is the English of its title."""
    if say.lang == "en":
        return finding.message
    if finding.kind is not FindingKind.COMPLIANCE:
        return ""
    return retold(finding.message, policies.get(finding.subject), say)


def retold(text: str, policy: PolicySummary | None, say: Messages) -> str:
    """``text`` of a verdict of ``policy``: what it says in English is told in the reader's language."""
    if say.lang == "en":
        return text
    if policy is not None and policy.message_ko and say.lang == "ko":
        found = refilled(text, policy.message, policy.message_ko)
        if found is not None:
            said, rest = found
            return f"{said} {_ours(rest, say)}".strip()
    return _ours(text, say)


def _ours(text: str, say: Messages) -> str:
    for form, other in _our_forms(say.lang) if text else ():
        found = refilled(text, form, other)
        if found is not None:
            said, rest = found
            return f"{said} {_ours(rest, say)}".strip()
    return text


@cache
def _our_forms(lang: str) -> tuple[tuple[str, str], ...]:
    """(English, the same in ``lang``) of our own sentences."""
    english, other = messages("en"), messages(lang)
    return tuple(
        (english.form(key), other.form(key)) for key in sorted(english.keys) if key.startswith(_OURS)
    )


def refilled(text: str, form: str, other: str, value: Callable[[str], str] = str) -> tuple[str, str] | None:
    """``other`` with the values that ``form`` has in ``text``, each as ``value`` tells it, and what follows it there;
    None where ``text`` does not begin with ``form``."""
    match = _pattern(form).match(text) if form else None
    if match is None:
        return None
    values = match.groupdict()
    said = _PLACE.sub(lambda place: value(values[place[1]]) if place[1] in values else place[0], other)
    return said, text[match.end() :].strip()


@cache
def _pattern(form: str) -> re.Pattern[str]:
    """The texts that begin with ``form`` filled in.  A value ends where the form goes on and a word ends, so that
    ``older than {version}.`` holds ``older than 1.30.``"""
    parts, seen = [], set()
    for number, part in enumerate(_PLACE.split(form)):
        if number % 2 == 0:
            parts.append(re.escape(part))
        elif part in seen:
            parts.append(f"(?P={part})")
        else:
            seen.add(part)
            parts.append(f"(?P<{part}>.*?)")
    return re.compile("".join(parts) + r"(?=\s|$)", re.DOTALL)


def worded(report: Report, policies: Mapping[str, PolicySummary]) -> Report:
    """``report`` with what its policies say today: an older run did not keep their words in other languages."""
    now = {name: policies.get(name, one) for name, one in report.policies.items()}
    return replace(
        report,
        policies={
            name: replace(
                one,
                title_ko=now[name].title_ko or one.title_ko,
                message=now[name].message or one.message,
                message_ko=now[name].message_ko or one.message_ko,
            )
            for name, one in report.policies.items()
        },
    )
