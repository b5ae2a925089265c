"""CloudFormation, built on the adapters of ``driftguard.sandbox.types``."""

from __future__ import annotations
