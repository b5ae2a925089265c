"""Resource types: one adapter per CloudFormation type, one module per service."""

from __future__ import annotations
