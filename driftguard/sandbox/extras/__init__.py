"""Operations that moto lacks or only pretends, added to services that otherwise stay moto's."""

from __future__ import annotations
