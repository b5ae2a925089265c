"""Characters outside ASCII, which GetTemplate shows as ``?``, recovered from the template's own source.

https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/814
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from driftguard.model import Json


def recovered(deployed: Json, source: Json) -> Json:
    """``deployed`` with each masked string replaced by the source's at the same place, if that fits.

    A string fits when masking it gives what is deployed; anything else was changed and stays masked.
    """
    if isinstance(deployed, Mapping) and isinstance(source, Mapping):
        return {key: recovered(value, source.get(key)) for key, value in deployed.items()}
    if isinstance(deployed, list) and isinstance(source, list) and len(deployed) == len(source):
        return [recovered(one, other) for one, other in zip(deployed, source, strict=True)]
    if isinstance(deployed, str) and isinstance(source, str) and "?" in deployed and _fits(deployed, source):
        return source
    return deployed


def _fits(deployed: str, source: str) -> bool:
    """A character that takes two UTF-16 units may be masked by one question mark or by two."""
    pattern = "".join(
        r"\?\??" if ord(char) > 0xFFFF else r"\?" if ord(char) > 0x7F else re.escape(char) for char in source
    )
    return re.fullmatch(pattern, deployed, re.DOTALL) is not None
