"""The catalogue that ships with driftguard, with frameworks and the user's own folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from driftguard.rules.catalogue import Catalogue, load_catalogue
from driftguard.rules.packaged import packaged_policies


def load_all(folders: Iterable[str | Path] = ()) -> Catalogue:
    """Our policies and those in ``folders``; the errors of every file are in the catalogue."""
    return load_catalogue([packaged_policies() / "rules", *folders])
