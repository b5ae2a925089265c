"""The HTML report in a real browser: axe-core finds no fault, light and dark, English and Korean."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from driftguard.history.causes import group
from driftguard.model import ChangedBy, Finding, Severity
from driftguard.model.trend import TrendPoint
from driftguard.report import render
from tests.history_values import finding, full_report, night
from tests.published_files import AXE_CORE, published

pytestmark = pytest.mark.browser
DETAIL = '{"differences":[{"path":"/Prop/0","expected":"<b>&","actual":null,"type":"NOT_EQUAL"}]}'


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing: scripts/install-test-servers installs it")
        pytest.skip("Chromium is not installed: run scripts/install-test-servers")
    return found


def page(lang: str) -> str:
    """A report with something in every section."""
    by = ChangedBy(
        principal="arn:aws:sts::111111111111:assumed-role/Ops/kim", event="X", time=night(0), source="console"
    )
    listed: list[Finding] = [
        finding(f"n{n}", severity=s, changed_by=by, detail=DETAIL) for n, s in enumerate(Severity)
    ]
    listed += [finding(f"o{n}", f"/P{n}", stack=f"s{n}") for n in range(3)]
    base = full_report(1)
    new = frozenset(one.fingerprint for one in listed[:5])
    report = replace(base, findings=tuple(listed), new=new, causes=group(listed))
    trends = [
        TrendPoint(
            run=f"r{n}",
            at=night(0) + timedelta(days=n),
            open={"HIGH": 9 - n},
            drift_open=9 - n,
            mean_hours_in_drift=5.0 * n,
            coverage=90.0,
            compliance={"K-ISMS": 50.0 + n},
        )
        for n in range(5)
    ]
    return str(render(report, "html", lang, trends=trends))


def checked(source: str, dark: bool, folder: Path) -> list[dict[str, Any]]:
    """What axe says of a page: its violations."""
    run = "axe.run(document).then(r => { const p = document.createElement('pre'); p.id = 'axe'; "
    run += "p.textContent = JSON.stringify(r.violations); document.body.appendChild(p); });"
    file = folder / "page.html"
    file.write_text(f"{source}<script>{published(AXE_CORE)}</script><script>{run}</script>", encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    out = subprocess.run(
        [chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000",
         f"--user-data-dir={folder}/profile", *scheme, "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'<pre id="axe">(.*?)</pre>', out.stdout, re.DOTALL)
    assert found, "axe did not finish"
    violations: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return violations


@pytest.mark.parametrize(("lang", "dark"), [("en", False), ("en", True), ("ko", False)])
def test_the_report_has_no_accessibility_fault(lang: str, dark: bool, tmp_path: Path) -> None:
    faults = checked(page(lang), dark, tmp_path)
    assert [(f["id"], [(n["html"], n["failureSummary"]) for n in f["nodes"]]) for f in faults] == []


def test_axe_really_looks(tmp_path: Path) -> None:
    faults = checked(
        page("en").replace("<html lang=", "<html data-lang=").replace("var(--soft)", "#eee"), False, tmp_path
    )
    assert {"html-has-lang", "color-contrast"} <= {fault["id"] for fault in faults}
