"""The pages: one module each, with a ``router``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from driftguard.service.web.render import show


def routers() -> Iterator[APIRouter]:
    """The router of every page."""
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        router = importlib.import_module(f"{__name__}.{module.name}").router
        assert isinstance(router, APIRouter)
        yield router


def error_page(request: Request, status: int, detail: str, fix: str, headers: Mapping[str, str]) -> Response:
    """An error for people."""
    response = show(request, "error", status=status, code=status, detail=detail, fix=fix)
    response.headers.update(headers)
    return response
