"""The catalogue that ships with driftguard, with frameworks and the user's own folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from driftguard.errors import PolicyError
from driftguard.rules.catalogue import Catalogue, load_catalogue
from driftguard.rules.frameworks import Frameworks, load_frameworks
from driftguard.rules.load import duplicate
from driftguard.rules.packaged import packaged_policies
from driftguard.rules.plugins import load_plugins
from driftguard.settings.policies import PolicySettings

EVERY = "*"
"""In place of a framework: every policy that there is."""


def load_all(folders: Iterable[str | Path] = (), *, plugins: bool = False) -> Catalogue:
    """Our policies, those in ``folders`` and, with ``plugins``, those of installed packages.

    The errors of every file and plug-in are in the catalogue.
    """
    frameworks = all_frameworks()
    catalogue = load_catalogue([packaged_policies() / "rules", *folders], frameworks.by_policy())
    catalogue = replace(catalogue, errors=(*catalogue.errors, *frameworks.errors))
    return _with_plugins(catalogue) if plugins else catalogue


def _with_plugins(catalogue: Catalogue) -> Catalogue:
    found, errors = load_plugins()
    taken = {name: one for one in catalogue.policies for name in (one.id, *one.aliases)}
    added = []
    for policy in found:
        clash = next((name for name in (policy.id, *policy.aliases) if name in taken), None)
        if clash is not None:
            errors.append(duplicate(policy, clash, taken[clash]))
            continue
        taken.update(dict.fromkeys((policy.id, *policy.aliases), policy))
        added.append(policy)
    return replace(catalogue, policies=(*catalogue.policies, *added), errors=(*catalogue.errors, *errors))


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
            only |= (
                {one.id for one in catalogue.policies} if name == EVERY else _of_framework(catalogue, name)
            )
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
