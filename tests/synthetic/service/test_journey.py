"""The morning after the demo night, in a real Chromium before a real `driftguard serve`, from sign-in to evidence."""

from __future__ import annotations

import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from driftguard.history import open_store
from driftguard.history.evidence import verify
from driftguard.history.store import SqlStore
from driftguard.model import FindingKind, FindingStatus
from driftguard.remediation.setup import template
from driftguard.service.access.tokens import create_link
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.scanning import start, variables
from tests.synthetic.conftest import Night
from tests.synthetic.service.browser import free_port, opened

pytestmark = pytest.mark.browser
_SECONDS = 90


@contextmanager
def serving(night: Night, folder: Path) -> Iterator[tuple[str, SqlStore]]:
    """`driftguard serve` over the night's store and the night's AWS, both as another process sees them."""
    night.sandbox.serve()
    shutil.copy(night.folder / "config.yaml", folder / "config.yaml")
    key = next(night.folder.glob("*.key"), None)
    if key is not None:
        shutil.copy(key, folder / key.name)
    source, target = (
        sqlite3.connect(night.folder / "driftguard.db"),
        sqlite3.connect(folder / "driftguard.db"),
    )
    source.backup(target)
    source.close()
    target.close()
    url, port = f"sqlite:///{folder / 'driftguard.db'}", free_port()
    environment = {**variables(night.sandbox), "DRIFTGUARD_STORE": url}
    command = ("--config", "config.yaml", "serve", "--port", str(port))
    store = open_store(url)
    assert isinstance(store, SqlStore)
    with start(folder, environment, *command) as process:
        try:
            assert process.stderr is not None
            said = [process.stderr.readline() for _ in range(2)]
            assert "/sign-in?code=" in said[1], said
            yield f"http://127.0.0.1:{port}", store
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
            store.close()


def prepare(night: Night, account: str, region: str) -> None:
    """What `driftguard remediate setup` prints, deployed by the account's administrator."""
    with Wiring(load_settings(str(night.folder / "config.yaml"), {})) as wiring:
        body = template(wiring.remedies, wiring.settings.remediation)
    ours = f"arn:aws:iam::{night.sandbox.accounts[0]}:user/administrator"
    client = night.sandbox.session(account=account, region=region).client("cloudformation")
    client.create_stack(
        StackName="driftguard-remediation",
        TemplateBody=body,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": "DriftguardPrincipal", "ParameterValue": ours}],
    )


def test_a_morning(own_night: Night, tmp_path: Path) -> None:
    from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    # A page that is being replaced, whole or in part, loses its elements between two looks.
    moving = (NoSuchElementException, StaleElementReferenceException)
    (group,) = [
        one
        for one in own_night.after.findings
        if one.logical_id == "WorkerSecurityGroup" and one.kind is FindingKind.DRIFT
    ]
    prepare(own_night, group.key.account, group.key.region)
    with serving(own_night, tmp_path) as (base, store), opened(downloads=tmp_path / "downloads") as window:

        def sign_in(user: str, role: str) -> None:
            window.delete_all_cookies()
            window.get(f"{base}/sign-in?code={create_link(store, user=user, role=role, actor='test')}")
            window.find_element(By.CSS_SELECTOR, "button.main").click()
            until(lambda: window.current_url == f"{base}/")

        def until(holds: Callable[[], Any]) -> Any:
            waiting = WebDriverWait(window, _SECONDS, poll_frequency=0.2, ignored_exceptions=moving)
            return waiting.until(lambda _: holds())

        def text() -> str:
            return str(window.find_element(By.TAG_NAME, "main").text)

        def shows(*words: str) -> None:
            until(lambda: all(word in text() for word in words))

        def press(selector: str) -> None:
            until(lambda: window.find_element(By.CSS_SELECTOR, selector).click() is None)

        # The night, as the operator sees it at eight.
        sign_in("lee", "operator")
        count = len(own_night.after.new)
        shows("minji.kim", "Partial")
        assert str(count) in window.find_element(By.TAG_NAME, "h1").text

        # One drift, and who did it.
        title = "WorkerSecurityGroup: /SecurityGroupIngress/* differs from its template"
        window.find_element(By.LINK_TEXT, title).click()
        until(lambda: "/findings/" in window.current_url)
        fingerprint = window.current_url.rsplit("/", 1)[1]
        shows("minji.kim", "AuthorizeSecurityGroupIngress", "0.0.0.0/0")

        # A plan, which its author can neither approve nor apply.
        press("form[action$='/plan'] button")
        until(lambda: "/plans/" in window.current_url)
        plan = window.current_url
        shows("WorkerSecurityGroup")
        assert not window.find_elements(By.CSS_SELECTOR, "form[action$='/approve'], form[action$='/apply']")

        # A second person approves, and applies.
        sign_in("kim", "approver")
        shows(plan.rsplit("/", 1)[1])
        window.get(plan)
        window.find_element(By.NAME, "reason").send_keys("Port 22 is closed to the world")
        press("form[action$='/approve'] button")
        shows("Port 22 is closed to the world")
        press("form[action$='/apply'] button")

        # It turns green by itself: no reload, the page follows.
        # The page before has the place for it too, and is there until the answer to the click comes.
        until(lambda: window.find_elements(By.CSS_SELECTOR, "#progress[hx-get], #progress .VERIFIED"))
        window.execute_script("document.body.dataset.same = 'page'")
        until(lambda: window.find_elements(By.CSS_SELECTOR, "#progress .VERIFIED"))
        shows("Done. What it cured is closed.")
        assert window.execute_script("return document.body.dataset.same") == "page"
        window.get(f"{base}/findings/{fingerprint}")
        shows("Resolved")
        assert fingerprint == group.fingerprint
        cured = store.finding(fingerprint)
        assert cured is not None and cured.status is FindingStatus.RESOLVED
        ec2 = own_night.sandbox.session(account=group.key.account, region=group.key.region).client("ec2")
        rules = ec2.describe_security_groups(GroupIds=[group.key.identifier])["SecurityGroups"][0][
            "IpPermissions"
        ]
        assert "0.0.0.0/0" not in str(rules)

        # The evidence, which anybody can verify.
        window.get(f"{base}/compliance/ISMS-P")
        press("form[action$='/evidence'] button")
        bundle = until(lambda: next((tmp_path / "downloads").glob("evidence-ISMS-P-*.zip"), None))
        (entry,) = [one for one in store.audit_newest(limit=20) if one.action == "evidence.export"]
        assert entry.actor == "kim"
        assert verify(bundle, seal=str(entry.detail["seal"])) == []
        who = {(one.action, one.actor) for one in store.audit_newest(limit=200)}
        assert {("plan.put", "lee"), ("plan.approve", "kim"), ("plan.apply", "kim")} <= who
        severe = [entry for entry in window.get_log("browser") if entry["level"] == "SEVERE"]
        assert not severe, severe
