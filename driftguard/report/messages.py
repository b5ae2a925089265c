"""The texts of reports, in every language that has a file in ``locale/``."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

from driftguard.errors import InputError


class Messages:
    """A catalogue.  ``messages("key", count=3)`` picks ``key.one`` for a count of 1 where there is one."""

    def __init__(self, lang: str, texts: dict[str, str], since: str = "") -> None:
        self.lang = lang
        self._texts = texts
        self._since = since or texts.get("since.run", "")

    def since(self, day: str) -> Messages:
        """The same catalogue, in which "new" means since ``day`` and not since the run before."""
        return Messages(self.lang, self._texts, self("since.day", day=day))

    def __call__(self, key: str, **values: Any) -> str:
        if values.get("count") == 1 and f"{key}.one" in self._texts:
            key = f"{key}.one"
        return self._texts[key].format(**{"since": self._since} | values)

    def form(self, key: str) -> str:
        """A text as it is written, its places not filled; nothing where there is none."""
        return self._texts.get(key, "")

    def get(self, key: str, default: str) -> str:
        """A text that may be missing, such as the name of a word that AWS coined."""
        return self._texts.get(key, default)

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)


def languages() -> tuple[str, ...]:
    """The languages that there are."""
    folder = resources.files("driftguard.report") / "locale"
    return tuple(
        sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    )


@cache
def messages(lang: str) -> Messages:
    """The catalogue of ``lang``.  Raises `InputError` for a language without a file."""
    if lang not in languages():
        raise InputError(f"there is no report in `{lang}`.", fix=f"Known: {', '.join(languages())}.")
    file = resources.files("driftguard.report") / "locale" / f"{lang}.yaml"
    loaded: dict[str, str] = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return Messages(lang, loaded)
