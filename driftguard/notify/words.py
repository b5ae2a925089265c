"""A message in words, English or Korean.  Everything in it came redacted out of the report."""

from __future__ import annotations

from collections import Counter

from driftguard.model.notice import Message, Notice, Transition

_MOST = 20
_WORDS = {
    "en": {
        "new": "new",
        "reopened": "came back",
        "resolved": "resolved",
        "more": "and {n} more",
        "by": "by",
        "run": "Run",
        "findings": "driftguard: {counts}",
    },
    "ko": {
        "new": "신규",
        "reopened": "재발",
        "resolved": "해결",
        "more": "외 {n}건",
        "by": "변경자",
        "run": "실행",
        "findings": "driftguard: {counts}",
    },
}


def called(notice: Notice, language: str) -> str:
    """The finding in a few words."""
    own = notice.title_ko if language == "ko" else ""
    return own or notice.finding.title or notice.finding.subject


def _cause(message: Message, language: str) -> str:
    """What the findings have in common; a policy is called as its findings are."""
    named = (called(one, language) for one in message.notices if one.finding.title == message.cause)
    return next(named, message.cause)


def title(message: Message, language: str) -> str:
    """One line: what happened, how often, and the cause if there is one."""
    if not message.notices:
        return (message.title_ko if language == "ko" else "") or message.title
    words = _WORDS[language]
    counts = Counter(notice.transition for notice in message.notices)
    listed = ", ".join(f"{counts[one]} {words[one.value]}" for one in Transition if counts[one])
    text = words["findings"].format(counts=listed)
    cause = _cause(message, language)
    return f"[{message.severity.value}] {text}" + (f" - {cause}" if cause else "")


def lines(message: Message, language: str, link: str = "") -> list[str]:
    """The body, one line for each finding, the worst first."""
    words = _WORDS[language]
    body = [message.text] if message.text else []
    body += [_line(notice, words, language) for notice in message.notices[:_MOST]]
    if len(message.notices) > _MOST:
        body.append(words["more"].format(n=len(message.notices) - _MOST))
    if message.run_id:
        body.append(f"{words['run']} {message.run_id}" + (f" {link.rstrip('/')}/" if link else ""))
    return body


def _line(notice: Notice, words: dict[str, str], language: str) -> str:
    finding = notice.finding
    who = f" ({words['by']} {finding.changed_by.principal})" if finding.changed_by else ""
    return (
        f"{words[notice.transition.value]} {finding.severity.value} {called(notice, language)}: "
        f"{finding.key.type} {finding.key.identifier} {finding.key.account}/{finding.key.region}{who}"
    )


def document(message: Message, language: str, link: str = "") -> dict[str, object]:
    """The message for machines: a stable form with a version."""
    return {
        "version": 1,
        "title": title(message, language),
        "severity": message.severity.value,
        "run": message.run_id,
        "cause": message.cause,
        "text": message.text,
        "link": link,
        "findings": [
            {
                "transition": notice.transition.value,
                "fingerprint": notice.finding.fingerprint,
                "kind": notice.finding.kind.value,
                "severity": notice.finding.severity.value,
                "title": notice.finding.title,
                "message": notice.finding.message,
                "subject": notice.finding.subject,
                "account": notice.finding.key.account,
                "region": notice.finding.key.region,
                "type": notice.finding.key.type,
                "identifier": notice.finding.key.identifier,
                "stack": notice.finding.stack,
                "logical_id": notice.finding.logical_id,
                "changed_by": notice.finding.changed_by.principal if notice.finding.changed_by else None,
            }
            for notice in message.notices
        ],
    }
