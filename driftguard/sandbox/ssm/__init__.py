"""Systems Manager: documents, Automation that runs, change calendars, OpsItems."""

from __future__ import annotations
