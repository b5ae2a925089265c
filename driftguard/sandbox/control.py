"""The sandbox's own switches over HTTP: ``/_sandbox/{reset,faults,clock,trail,unknown,timing}``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

if TYPE_CHECKING:
    from driftguard.sandbox.gateway import Gateway

RESET: list[Callable[[Gateway], None]] = []
"""What else is to be done when the sandbox is reset."""


def serve(gateway: Gateway, http: HttpRequest) -> HttpResponse:
    """Answer a control request with JSON; 404 for an unknown switch, 400 for a value that is none."""
    name = http.path.removeprefix("/_sandbox").strip("/") or "help"
    switch = _SWITCHES.get(name)
    if switch is None:
        return _json({"error": f"no such switch: {name}", "switches": sorted(_SWITCHES)}, 404)
    try:
        content = json.loads(http.get_data() or b"{}")
        return _json(switch(gateway, http.method, content))
    except (ValueError, KeyError, TypeError) as error:
        return _json({"error": str(error)}, 400)


def _json(value: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(value, default=str), status=status, content_type="application/json")


def _help(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    return {"accounts": gateway.world.accounts, "switches": sorted(_SWITCHES)}


def _reset(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    if method != "POST":
        raise ValueError("reset is a POST")
    for step in RESET:
        step(gateway)
    return {"reset": True}


def _faults(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    if method == "POST":
        gateway.faults.add(**content)
    elif method == "DELETE" and "id" in content:
        gateway.faults.remove(int(content["id"]))
    elif method == "DELETE":
        gateway.faults.clear()
    return [dataclasses.asdict(rule) for rule in gateway.faults.rules]


def _clock(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    clock = gateway.world.clock
    if method == "POST":
        if "freeze" in content:
            at = content["freeze"]
            clock.freeze(dt.datetime.fromisoformat(at) if isinstance(at, str) else None)
        if "advance" in content:
            clock.advance(float(content["advance"]))
    elif method == "DELETE":
        clock.reset()
    return {"now": clock.now().isoformat(), "frozen": clock.frozen}


def _trail(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    return [
        {"account": account, "region": region, **event}
        for account, region, store in gateway.world.stores("cloudtrail.events")
        for event in store.get("events", [])
    ]


def _unknown(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    return gateway.unknown


def _timing(gateway: Gateway, method: str, content: dict[str, Any]) -> Any:
    if method == "POST":
        gateway.world.timing.update({name: float(seconds) for name, seconds in content.items()})
    return dict(gateway.world.timing)


_SWITCHES: dict[str, Callable[[Gateway, str, dict[str, Any]], Any]] = {
    "help": _help,
    "reset": _reset,
    "faults": _faults,
    "clock": _clock,
    "trail": _trail,
    "unknown": _unknown,
    "timing": _timing,
}
