"""One file per resource type whose Config item is not CloudFormation-shaped.

A file holds ``COVERAGE``, the top-level properties that the item can show, and ``SHAPE``, how they are
found.  It is named after the type: ``AWS::EC2::VPC`` is ``ec2_vpc``.  Adding a file is all there is to do.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache

from driftguard.live.folding import Shape


@cache
def shape_of(type_name: str) -> Shape | None:
    """The shape for a CloudFormation type; ``None`` when its Config item needs none, or there is none."""
    module = f"{__name__}.{module_name(type_name)}"
    if importlib.util.find_spec(module) is None:
        return None
    shape: Shape = importlib.import_module(module).SHAPE
    return shape


def all_shapes() -> tuple[Shape, ...]:
    """Every shape, sorted by type."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    )
    return tuple(sorted((module.SHAPE for module in modules), key=lambda shape: shape.type))


def module_name(type_name: str) -> str:
    """``AWS::EC2::VPC`` -> ``ec2_vpc``."""
    return "_".join(type_name.split("::")[1:]).lower()
