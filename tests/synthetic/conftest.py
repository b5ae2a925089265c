"""The demo night, played once for all tests that look at it, and anew for each module that goes on in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from driftguard.model import Report
from driftguard.sandbox import Sandbox
from driftguard.sandbox.estate import deploy, play
from driftguard.sandbox.estate.plan import estate, read
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring


@dataclass(frozen=True)
class Night:
    """Two scans, what they left in the store at ``store`` (a URL), and the AWS they looked at."""

    before: Report
    after: Report
    unknown: tuple[str, ...]
    store: str
    folder: Path
    sandbox: Sandbox


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """For tests that look at the reports and the store: the AWS behind them may be another test's by now."""
    with played(tmp_path_factory.mktemp("night")) as found:
        yield found


@pytest.fixture(scope="module")
def own_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """For a module that goes on in the AWS of the night; no other module sees what it does there."""
    with played(tmp_path_factory.mktemp("own-night")) as found:
        yield found


@contextmanager
def played(folder: Path) -> Iterator[Night]:
    """Deploy the estate, scan it, let the night pass, scan again."""
    (folder / "config.yaml").write_text(read("config.yaml"), encoding="utf-8")
    url = f"sqlite:///{folder / 'driftguard.db'}"
    settings = load_settings(str(folder / "config.yaml"), {"DRIFTGUARD_STORE": url})

    def run(sandbox: Sandbox) -> Report:
        home = estate().account("management")
        with Wiring(
            settings,
            session_factory=lambda: sandbox.session(account=home, principal="driftguard"),
            clock=sandbox.clock.now,
        ) as wiring:
            return scan(wiring.job(trigger="test"))

    with Sandbox() as sandbox:
        deploy(sandbox)
        before = run(sandbox)
        # Squeezed, for the processes that look at it later go by the real clock.
        play(sandbox, length=dt.timedelta(seconds=30))
        yield Night(before, run(sandbox), tuple(sandbox.unknown), url, folder, sandbox)
