"""The catalogue that ships with driftguard, with frameworks and the user's own folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from driftguard.errors import PolicyError
from driftguard.rules.catalogue import Catalogue, load_catalogue
from driftguard.rules.frameworks import Frameworks, load_frameworks
from driftguard.rules.packaged import packaged_policies
from driftguard.settings.policies import PolicySettings


def load_all(folders: Iterable[str | Path] = ()) -> Catalogue:
    """Our policies and those in ``folders``; the errors of every file are in the catalogue."""
    frameworks = all_frameworks()
    catalogue = load_catalogue([packaged_policies() / "rules", *folders], frameworks.by_policy())
    return replace(catalogue, errors=(*catalogue.errors, *frameworks.errors))


@cache
def all_frameworks() -> Frameworks:
    """The frameworks that ship with driftguard."""
    return load_frameworks([packaged_policies() / "frameworks"])


def selected(
    catalogue: Catalogue,
    settings: PolicySettings,
    policies: Sequence[str] = (),
    frameworks: Sequence[str] = (),
) -> Catalogue:
    """The policies that ``settings`` choose, or, where given, those named and those of the frameworks named.

    Raises `PolicyError` for an unknown policy or framework.
    """
    names = tuple(frameworks) or (() if policies else settings.frameworks)
    only: set[str] | None = None
    if names or policies or settings.include:
        only = set()
        for name in names:
            only |= _of_framework(catalogue, name)
    include = tuple(policies) or settings.include
    return catalogue.select(
        include=include, exclude=settings.exclude, overrides=settings.overrides, only=only
    )


def _of_framework(catalogue: Catalogue, name: str) -> set[str]:
    found = {
        one.id for one in catalogue.policies if any(name.lower() == key.lower() for key in one.frameworks)
    }
    if not found:
        known = sorted({key for one in catalogue.policies for key in one.frameworks})
        raise PolicyError(
            f"no policy belongs to a framework {name}.", fix=f"Frameworks: {', '.join(known) or 'none'}."
        )
    return found
