"""What the estate consists of, as its data files say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The content of ``estate.yaml``; the lists are used as they stand there."""

    accounts: Mapping[str, str]
    regions: tuple[str, ...]
    external_id: str
    nested_templates: tuple[str, ...]
    stacks: tuple[Mapping[str, Any], ...]
    stack_sets: tuple[Mapping[str, Any], ...]
    recorders: tuple[Mapping[str, Any], ...]

    def account(self, name: str) -> str:
        """The number of the account called ``name``."""
        return self.accounts[name]


@cache
def estate() -> Estate:
    """The demo estate."""
    data = read_yaml("estate.yaml")
    lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return Estate(**{**data, **lists})


def read(name: str) -> str:
    """The text of a file of this folder."""
    return files(__package__).joinpath(name).read_text("utf-8")


def read_yaml(name: str) -> Any:
    """The content of a YAML file of this folder."""
    return yaml.safe_load(read(name))


def template(name: str) -> str:
    """The text of a template of the estate."""
    return read(f"templates/{name}")
