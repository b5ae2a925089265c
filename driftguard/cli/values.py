"""Values of properties, as a person reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftguard.history.changes import PropertyChange


def change_words(change: PropertyChange) -> tuple[str, str]:
    """The two values of a change, as a person reads them."""
    from driftguard.model.phrase import phrase

    # Two values that a phrase makes the same (a text, and a list of that text) are shown as they are.
    say = phrase if phrase(change.before) != phrase(change.after) else json.dumps
    before = "(absent)" if change.added else say(change.before)
    return before, "(absent)" if change.removed else say(change.after)
