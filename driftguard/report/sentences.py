"""Sentences that the code writes in English, in the language of a reader.

Settings, errors and gaps say what they have to say as plain sentences, far below the rooms that know of languages.  The
catalogue has the English sentence as its key; ``{name}`` in it stands for what varies.  A sentence that it does not
have stays as it is.
"""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources

import yaml

from driftguard.report.retold import refilled


@cache
def catalogue(lang: str) -> dict[str, str]:
    """The sentences of ``lang``; English has none to translate."""
    file = resources.files("driftguard.report") / "locale" / "sentences" / f"{lang}.yaml"
    if not file.is_file():
        return {}
    loaded: dict[str, str] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


@cache
def _forms(lang: str) -> tuple[tuple[str, str], ...]:
    """The sentences, the most definite first: one that begins with what varies fits almost anything."""
    return tuple(sorted(catalogue(lang).items(), key=lambda pair: (pair[0].startswith("{"), -len(pair[0]))))


@lru_cache(maxsize=4096)
def translated(text: str, lang: str) -> str:
    """``text`` in ``lang``, sentence by sentence; from the first on that is not known it stays as it is."""
    known = catalogue(lang)
    said = []
    while text:
        if text in known:
            said.append(known[text])
            break
        found = next((one for form in _forms(lang) if (one := _refilled(text, form, lang)) is not None), None)
        if found is None:
            said.append(text)
            break
        said.append(found[0])
        text = found[1]
    return " ".join(said)


def _refilled(text: str, form: tuple[str, str], lang: str) -> tuple[str, str] | None:
    if text[0] != form[0][0] and form[0][0] != "{":
        return None
    return refilled(text, *form, lambda value: catalogue(lang).get(value, value))
