"""The journey of two people in a real browser, and every page looked at by axe."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftguard.service.access.tokens import create_link
from driftguard.service.calling import key_id
from tests.service_values import house
from tests.synthetic.service.browser import axe, opened, served

pytestmark = pytest.mark.browser
PAGES = (
    "/", "/findings", "/drifts", "/causes", "/resources", "/stacks", "/compliance", "/compliance/ISMS-P",
    "/compliance/ISMS-P/1.1.1", "/plans", "/runs", "/runs/r0", "/waivers", "/policies",
    "/policies/INCOMING_SSH_DISABLED", "/settings", "/audit", "/search?q=archive",
)  # fmt: skip


def sign_in(window: object, base: str, store: object, user: str, role: str) -> None:
    from selenium.webdriver.common.by import By

    window.delete_all_cookies()
    window.get(f"{base}/sign-in?code={create_link(store, user=user, role=role, actor='test')}")
    window.find_element(By.CSS_SELECTOR, "button.main").click()


def source_of(window: object) -> str:
    """The page, once the browser has one: on a busy machine it hands out an empty one first."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(window, 20).until(lambda one: "</main>" in one.page_source)
    return window.page_source


def test_two_people_answer_a_finding(tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

    home = house(tmp_path)
    with served(home.app) as base, opened() as window:
        sign_in(window, base, home.store, "lee", "operator")
        assert "archive" in source_of(window)
        window.find_element(By.TAG_NAME, "body").send_keys("/")
        box = window.switch_to.active_element
        assert box.get_attribute("id") == "search"
        box.send_keys("archive", Keys.ENTER)
        window.find_element(By.LINK_TEXT, "archive").click()
        assert "Suspended" in source_of(window) and "user/kim" in source_of(window)
        window.get(f"{base}/findings/{home.finding().fingerprint}")
        window.find_element(By.CSS_SELECTOR, "form[action$='/plan'] button").click()
        WebDriverWait(window, 60).until(lambda one: "/plans/" in one.current_url)
        plan = window.current_url
        assert not window.find_elements(By.CSS_SELECTOR, "form[action$='/approve']")

        sign_in(window, base, home.store, "kim", "approver")
        window.get(plan)
        form = window.find_element(By.CSS_SELECTOR, "form[action$='/approve']")
        form.find_element(By.NAME, "reason").send_keys("Looked at it")
        form.find_element(By.TAG_NAME, "button").click()
        assert "Looked at it" in source_of(window)
        window.get(f"{base}/audit")
        assert "plan.approve" in source_of(window)
        severe = [entry for entry in window.get_log("browser") if entry["level"] == "SEVERE"]
        assert not severe, severe


def test_everything_is_read_without_script(tmp_path: Path) -> None:
    home = house(tmp_path)
    with served(home.app) as base, opened(script=False) as window:
        sign_in(window, base, home.store, "lee", "viewer")
        for page in ("/", "/findings", f"/resources/{key_id(home.finding().key)}"):
            window.get(base + page)
            assert "rchive" in source_of(window), page


@pytest.mark.parametrize("look", ["?theme=light&lang=en", "?theme=dark&lang=ko"])
def test_axe_finds_no_serious_fault(tmp_path: Path, look: str) -> None:
    home = house(tmp_path)
    found = home.finding()
    plan = home.services.planner([found], "lee")
    source = axe()
    pages = (*PAGES, f"/findings/{found.fingerprint}", f"/resources/{key_id(found.key)}", f"/plans/{plan.id}")
    faults: list[str] = []
    with served(home.app) as base, opened() as window:
        sign_in(window, base, home.store, "kim", "admin")
        window.get(f"{base}/{look}")
        for page in pages:
            window.get(base + page)
            window.execute_script(source)
            result = window.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
            faults += [
                f"{page}: {one['id']} {one['nodes'][0]['html'][:120]}"
                for one in result["violations"]
                if one["impact"] in ("serious", "critical")
            ]
    assert not faults, "\n".join(faults)
