"""The composition root: settings in, working objects out.

Nothing else in the house builds what it uses; it is handed it.  Every part is made on first use, so that a
command pays only for what it needs.
"""

from __future__ import annotations

import getpass
import importlib.resources
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from driftguard.settings import Settings

if TYPE_CHECKING:
    from driftguard.aws import Aws
    from driftguard.history.port import Store
    from driftguard.rules import Catalogue


class Wiring:
    """Everything that one set of settings makes.  Close it, or use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __enter__(self) -> Wiring:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def store(self) -> Store:
        """The history store, migrated.  Raises `StoreError`."""
        from driftguard.history import open_store

        return open_store(self.settings.store.url)

    @cached_property
    def aws(self) -> Aws:
        """AWS as the settings name it.  Nothing is called before something is asked."""
        from driftguard.aws import Aws

        return Aws(self.settings.aws, self.settings.scope)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Our policies and the user's own, with the settings' selection and overrides."""
        from driftguard.rules import load_catalogue

        folders = [policies_folder() / "rules", *(Path(f) for f in self.settings.policies.folders)]
        return load_catalogue(folders)

    @property
    def actor(self) -> str:
        """Who works here, for the audit log: the operating system's user, or what the settings name."""
        return os.environ.get("DRIFTGUARD_ACTOR") or getpass.getuser()

    def close(self) -> None:
        """Let go of the store's connection."""
        if "store" in self.__dict__:
            self.store.close()


def policies_folder() -> Path:
    """The ``policies/`` that travels with the code: inside the wheel, or beside the package in a checkout."""
    packaged = Path(str(importlib.resources.files("driftguard"))) / "_policies"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "policies"
