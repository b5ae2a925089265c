"""The REST API: one module for each kind of thing, each with a ``router``."""

from __future__ import annotations

import importlib
import pkgutil

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from driftguard.service.api.models import Problem
from driftguard.service.logs import API

_PROBLEMS = {
    400: "The request makes no sense.",
    401: "Nobody is signed in.",
    403: "The caller may not do this.",
    404: "There is no such thing, or the caller may not know of it.",
    411: "The request does not say how long it is.",
    413: "The request is too large.",
    422: "A value has the wrong form.",
    429: "Too many requests.",
    503: "The store does not answer.",
}
_MEDIA = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def _router() -> APIRouter:
    problems: dict[int | str, dict[str, object]] = {
        status: {"description": text, "content": _MEDIA} for status, text in _PROBLEMS.items()
    }
    # One of them brings the model itself into the document, and the others refer to it.
    problems[401]["model"] = Problem
    bearer = HTTPBearer(auto_error=False, description="A token of `driftguard token create`.")
    whole = APIRouter(prefix=API, responses=problems, dependencies=[Depends(bearer)])
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        found = getattr(importlib.import_module(f"{__name__}.{module.name}"), "router", None)
        if found is not None:
            whole.include_router(found)
    return whole


router = _router()
