"""What all sections of the settings share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of ``config.yaml``: unknown fields are errors, values do not change once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
