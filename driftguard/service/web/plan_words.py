"""What a plan says, in the reader's language.

A plan is approved as the English text that it is, so its sentences are not translated but known again: by the
remedies and policies that they come from, and by the forms in ``locale/plans.ko.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources

import yaml

from driftguard.errors import PolicyError
from driftguard.model import PolicySummary, Severity
from driftguard.remediation import Remedies
from driftguard.report.messages import Messages
from driftguard.report.retold import refilled

Tell = Callable[[object], object]


def teller(say: Messages, remedies: Callable[[], Remedies], policies: Iterable[PolicySummary]) -> Tell:
    """Tells a text of a plan in the language of ``say``; what is no text, or not known, stays as it is."""
    if say.lang != "ko":
        return lambda given: given
    pairs = {
        **{one.title: one.title_ko for one in policies if one.title_ko},
        **_sentences(),
        **_of_remedies(remedies),
    }
    forms = sorted(_as_said(pairs).items(), key=lambda pair: (pair[0].startswith("{"), -len(pair[0])))
    words = {one.value: say(f"severity.{one.value}") for one in Severity} | pairs

    def told(text: str) -> str:
        parts = []
        while text:
            found = _first(text, forms, lambda value: words.get(value, value))
            if found is None:
                parts.append(text)
                break
            said, text = found
            parts.append(said)
        return " ".join(parts)

    return lambda given: told(given) if isinstance(given, str) else given


def _first(
    text: str, forms: Iterable[tuple[str, str]], value: Callable[[str], str]
) -> tuple[str, str] | None:
    for form, other in forms:
        if text[:1] == form[:1] or form.startswith("{"):
            found = refilled(text, form, other, value)
            if found is not None:
                return found
    return None


def _as_said(pairs: Mapping[str, str]) -> dict[str, str]:
    """The forms as they stand in a plan: within a sentence, and as one of their own."""
    return {**{form[:1].upper() + form[1:]: other for form, other in pairs.items()}, **pairs}


@cache
def _sentences() -> dict[str, str]:
    """The forms of what the code itself says in a plan."""
    file = resources.files("driftguard.service.web") / "locale" / "plans.ko.yaml"
    found: dict[str, str] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def _of_remedies(remedies: Callable[[], Remedies]) -> dict[str, str]:
    """What the remedies say; nothing where a file of theirs is wrong, for a stored plan is shown all the same."""
    try:
        return remedies().korean()
    except PolicyError:
        return {}
