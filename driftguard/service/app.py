"""The application: gate, pages, REST API, health and metrics around one set of services."""

from __future__ import annotations

import gc
from importlib import resources
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from driftguard import __version__
from driftguard.service import health, logs, problems
from driftguard.service.access.guard import Guard
from driftguard.service.api import router as api_router
from driftguard.service.services import Services
from driftguard.service.web.pages import routers

_DESCRIPTION = """Runs, findings, drifts, resources, verdicts, waivers, plans and the audit log.

Lists are paged by an opaque `cursor`; errors are problem documents (RFC 9457); GET answers carry an `ETag`;
a POST with an `Idempotency-Key` may be sent again without doing it twice.  Send `Authorization: Bearer dg_…`.
"""


def create_app(services: Services) -> FastAPI:
    """The whole service as one ASGI application."""
    app = FastAPI(
        title="driftguard",
        version=__version__,
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    static = Path(str(resources.files("driftguard.service.web"))) / "static"
    app.mount("/static", StaticFiles(directory=static), name="static")
    app.include_router(api_router)
    app.include_router(health.router)
    for router in routers():
        app.include_router(router, include_in_schema=False)
    problems.install(app)
    app.add_middleware(Guard, services=services)
    app.add_middleware(logs.Requests)
    # What is loaded by now (catalogue, schemas, routes) stays for good: the collector need not walk it in every
    # long request.
    gc.collect()
    gc.freeze()
    return app
