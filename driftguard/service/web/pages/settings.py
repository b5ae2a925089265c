"""Settings as they are in effect, secrets hidden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import Serving, everywhere
from driftguard.service.settings_view import shown_setting
from driftguard.service.web.render import show

router = APIRouter()


@router.get("/settings")
def settings(
    request: Request, services: Serving, _: Annotated[Principal, Depends(everywhere(Permission.READ))]
) -> HTMLResponse:
    sections = [
        (name, field.description or "", list(_rows(getattr(services.settings, name), name)))
        for name, field in type(services.settings).model_fields.items()
    ]
    return show(request, "settings", sections=sections)


def _rows(section: BaseModel, prefix: str) -> Iterator[tuple[str, str, bool, str]]:
    """(name, value, whether somebody set it, description) of each setting below ``section``."""
    for name, field in type(section).model_fields.items():
        value, path = getattr(section, name), f"{prefix}.{name}"
        if isinstance(value, BaseModel):
            yield from _rows(value, path)
        else:
            yield path, shown_setting(name, value), name in section.model_fields_set, field.description or ""
