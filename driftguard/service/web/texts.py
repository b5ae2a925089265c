"""The texts of the pages: their own catalogue, and that of the reports for words that both use."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

from driftguard.report.messages import Messages, messages

LANGUAGES = ("en", "ko")


class Texts(Messages):
    """``say("key", count=3)``, from the pages' catalogue first, then from the reports'."""

    def __init__(self, lang: str, texts: dict[str, str], reports: Messages) -> None:
        super().__init__(lang, texts)
        self._reports = reports

    def __call__(self, key: str, **values: Any) -> str:
        if key in self.keys:
            return super().__call__(key, **values)
        return self._reports(key, **values)

    def word(self, group: str, name: str) -> str:
        """A word that AWS or we coined (``status.NEW``), or the word itself where it has no text."""
        key = f"{group}.{name}"
        return self(key) if key in self.keys or key in self._reports.keys else name


@cache
def texts(lang: str) -> Texts:
    """The catalogue of ``lang``, which must be one of `LANGUAGES`."""
    file = resources.files("driftguard.service.web") / "locale" / f"{lang}.yaml"
    loaded: dict[str, str] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return Texts(lang, loaded, messages(lang))


def best_language(accepted: str) -> str:
    """The language of an Accept-Language header that we have; English when there is none."""
    choices: list[tuple[float, int, str]] = []
    for part in accepted.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        choices.append((-weight, len(choices), name.lower().split("-")[0]))
    return next((name for weight, _, name in sorted(choices) if name in LANGUAGES and weight < 0), "en")
