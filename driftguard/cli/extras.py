"""Which extra brings a module that is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "sandbox": ("flask", "flask_cors", "moto", "werkzeug"),
    "service": (
        "apprise",
        "authlib",
        "fastapi",
        "httpx2",
        "itsdangerous",
        "prometheus_client",
        "python_multipart",
        "starlette",
        "uvicorn",
    ),
    "postgres": ("psycopg",),
    "cluster": ("procrastinate",),
    "otel": ("opentelemetry",),
    "pdf": ("reportlab",),
}
"""The extras of pyproject.toml and the modules that are imported of each, their own dependencies included."""


def advice(error: ModuleNotFoundError) -> str | None:
    """What to install; ``None`` where the module belongs to no extra, so that its absence is a bug."""
    module = (error.name or "").partition(".")[0]
    extra = next((name for name, modules in _MODULES.items() if module in modules), None)
    if extra is None:
        return None
    return (
        f"this needs the extra `{extra}` ({module} is not installed). "
        f"`pip install 'driftguard-aws[{extra}]'`, or '.[{extra}]' in a checkout."
    )
