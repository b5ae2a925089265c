"""AWS Config: recorder, items, queries, aggregators, rules, remediation."""

from __future__ import annotations
