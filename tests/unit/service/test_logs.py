"""The service's log holds no secret, whoever wrote the line."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from driftguard.history.redact import Redactor
from driftguard.service import logs

SECRET = "S3ntinel9xQ7w"


def test_no_line_of_the_log_holds_a_secret(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(0, Redactor(b"k" * 32).redact_event)
    try:
        try:
            raise ValueError(f"cannot connect to postgres://app:{SECRET}@db/app")
        except ValueError:
            logging.getLogger("driftguard.scan").exception(
                "a unit failed", extra={"password": SECRET, "count": 3}
            )
            structlog.get_logger("driftguard.service").exception("failed", tokens=[SECRET], run="r1")
    finally:
        structlog.reset_defaults()
    out = capsys.readouterr().err
    house, service = (json.loads(line) for line in out.splitlines())
    assert SECRET not in out
    assert (house["count"], service["run"]) == (3, "r1") and "cannot connect" in house["exception"]
