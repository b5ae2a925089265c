"""A real Chromium before a real server."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

MISSING_IS_A_FAILURE = bool(os.environ.get("CI"))


def chromium() -> tuple[str, str]:
    """The browser and its driver; on CI a missing one is a failure, elsewhere a loud skip."""
    found = [
        next((str(path) for name in names if (path := Path("/usr/bin") / name).exists()), "")
        for names in (("chromium", "chromium-browser", "google-chrome"), ("chromedriver",))
    ]
    if not all(found):
        message = "Chromium and chromedriver are needed (apt install chromium chromium-driver)"
        pytest.fail(message) if MISSING_IS_A_FAILURE else pytest.skip(message)
    return found[0], found[1]


@contextmanager
def opened(*arguments: str, script: bool = True, downloads: Path | None = None) -> Iterator[Any]:
    """A browser window, which saves what it downloads in ``downloads``."""
    binary, driver = chromium()
    webdriver = pytest.importorskip("selenium.webdriver")
    service = pytest.importorskip("selenium.webdriver.chrome.service")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--window-size=1380,1000",
        *arguments,
    ):
        options.add_argument(argument)
    preferences: dict[str, object] = {}
    if not script:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    if downloads is not None:
        preferences["download.default_directory"] = str(downloads)
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    window = webdriver.Chrome(options=options, service=service.Service(driver))
    try:
        yield window
    finally:
        window.quit()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(app: Any) -> Iterator[str]:
    """``app`` on a free port of this machine; yields its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not start")
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
