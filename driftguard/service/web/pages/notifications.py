"""Notifications: where messages go, what became of the newest ones, and a test message."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from driftguard.model.notice import Delivery
from driftguard.notify.words import title
from driftguard.service.access.roles import Permission, Principal
from driftguard.service.calling import Acting, Serving, everywhere
from driftguard.service.web.forms import Form, to
from driftguard.service.web.render import language, show
from driftguard.service.web.tables import csv_response

router = APIRouter()
_SHOWN = 100
_COLUMNS = ("id", "channel", "state", "title", "not_before", "sent_at", "attempts", "error", "reference")
# Messages are about findings of any account, and so are shown to those only who read all of them.
Reader = Annotated[Principal, Depends(everywhere(Permission.READ))]


@router.get("/notifications")
def notifications(request: Request, services: Serving, _: Reader) -> HTMLResponse:
    deliveries = services.store.deliveries(limit=_SHOWN)
    newest: dict[str, Delivery] = {}
    for one in deliveries:
        newest.setdefault(one.channel, one)
    notify = services.settings.notify
    return show(
        request,
        "notifications",
        channels=[(channel, newest.get(channel.name)) for channel in notify.channels],
        routes=notify.routes,
        rows=[(one, title(one.message, language(request))) for one in deliveries],
        sent=request.query_params.get("sent", "")[:80],
        can_test=services.tester is not None,
    )


@router.get("/notifications.csv")
def notifications_csv(services: Serving, _: Reader) -> Response:
    rows = [
        {
            "id": one.id,
            "channel": one.channel,
            "state": one.state.value,
            "title": title(one.message, "en"),
            "not_before": one.not_before.isoformat(),
            "sent_at": one.sent_at.isoformat() if one.sent_at else "",
            "attempts": one.attempts,
            "error": one.error,
            "reference": one.reference,
        }
        for one in services.store.deliveries(limit=_SHOWN)
    ]
    return csv_response("notifications", _COLUMNS, rows)


@router.post("/notifications/{channel}/test")
def send_test(channel: str, form: Form, actions: Acting) -> RedirectResponse:
    actions.test_channel(channel)
    return to(f"/notifications?sent={channel}")
