"""Where a template declares what was judged: file and line of the property, and the parameter behind it.  Pure."""

from __future__ import annotations

from dataclasses import replace

from driftguard.declared.positions import Locations
from driftguard.model import DeclaredResource, Location, PropertyDifference


def place_of(declared: DeclaredResource, path: str) -> tuple[Location | None, str]:
    """Where the property at ``path`` is declared, or the nearest thing around it, and its parameter's name."""
    parameter = declared.locations.parameter(path) if isinstance(declared.locations, Locations) else ""
    while path and path not in declared.locations:
        path = path.rpartition("/")[0]
    return declared.locations.get(path), parameter


def placed(declared: DeclaredResource, difference: PropertyDifference) -> PropertyDifference:
    """``difference`` with its place."""
    location, parameter = place_of(declared, difference.path)
    return replace(difference, location=location, parameter=parameter)
