"""The journey of two people in a real browser, and every page looked at by axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.service.access.tokens import create_link
from driftguard.service.calling import key_id
from tests.published_files import AXE_CORE, published
from tests.service_values import House, house
from tests.synthetic.service.browser import opened, served

pytestmark = pytest.mark.browser


def sign_in(window: object, base: str, store: object, user: str, role: str) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    window.delete_all_cookies()
    window.get(f"{base}/sign-in?code={create_link(store, user=user, role=role, actor='test')}")
    window.find_element(By.CSS_SELECTOR, "button.main").click()
    # On a busy machine the old page is still there for a while.
    WebDriverWait(window, 20).until(lambda one: "/sign-in" not in one.current_url)


def source_of(window: object) -> str:
    """The page, once the browser has one: on a busy machine it hands out an empty one first."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(window, 20).until(lambda one: "</main>" in one.page_source)
    return window.page_source


def test_the_keyboard_finds_a_resource(tmp_path: Path) -> None:
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
        # The page before has a link of this name, too.
        WebDriverWait(window, 20).until(lambda one: "/search" in one.current_url and source_of(one))
        window.find_element(By.LINK_TEXT, "archive").click()
        assert "Suspended" in source_of(window) and ">kim" in source_of(window)


def test_everything_is_read_without_script(tmp_path: Path) -> None:
    home = house(tmp_path)
    with served(home.app) as base, opened(script=False) as window:
        sign_in(window, base, home.store, "lee", "viewer")
        for page in ("/", "/findings", f"/resources/{key_id(home.finding().key)}"):
            window.get(base + page)
            assert "rchive" in source_of(window), page


LOOKS = tuple(f"theme={theme}&lang={lang}" for lang in ("en", "ko") for theme in ("light", "dark"))
AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  (result) => done(result.violations.filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => one.id + " " + one.nodes[0].html.slice(0, 120))));
"""


def test_axe_finds_no_serious_fault(tmp_path: Path) -> None:
    """Every page that the application has, light and dark, in both languages, with data and without."""
    full, empty = tmp_path / "full", tmp_path / "empty"
    for folder in (full, empty):
        folder.mkdir()
    source, faults, seen = published(AXE_CORE), [], set()
    for home in (house(full, channels=True), house(empty, data=False)):
        with served(home.app) as base, opened() as window:
            sign_in(window, base, home.store, "kim", "admin")
            window.set_script_timeout(60)
            for page, look in pages(home):
                window.get(f"{base}{page}{'&' if '?' in page else '?'}{look}")
                window.execute_script(source)
                found = window.execute_async_script(AXE)
                faults += [f"{page} {look}: {one}" for one in found]
                seen.add(page)
    assert {"/", "/findings", "/notifications", "/audit"} <= seen
    assert not faults, "\n".join(faults)


def pages(home: House) -> Iterator[tuple[str, str]]:
    """Each page of the application and a look: all looks of a full house, one of an empty one."""
    for method, template, address in home.routes():
        machine = template.startswith(("/api/", "/healthz", "/readyz", "/metrics", "/sign-in/"))
        if (
            method != "GET"
            or machine
            or template.endswith((".csv", "/progress"))
            or template == "/causes/{cause_id}"
        ):
            continue
        if template == "/policies":
            address = "/policies?q=ssh"  # the whole catalogue is a thousand rows of one form
        if home.full:
            yield from ((address, look) for look in LOOKS)
        elif "{" not in template:
            yield address, LOOKS[-1]
    yield "/search?q=archive", LOOKS[-1]
    yield "/there-is-no-such-page", LOOKS[0]
    yield "/findings?q=nothing-fits", LOOKS[-1]
