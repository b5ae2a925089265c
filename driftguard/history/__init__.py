"""Memory: the store behind one port, findings' lives, timelines, evidence."""

from driftguard.history.open import open_store

__all__ = ["open_store"]
