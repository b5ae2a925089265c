"""Services that the sandbox owns, one module or package each; a module registers its operations."""

from __future__ import annotations
