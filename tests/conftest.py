"""Fixtures that all tests share."""

from __future__ import annotations

pytest_plugins = ["tests.sandbox_fixtures", "tests.postgres_server"]
