"""`driftguard serve` that cannot start: it says so, and leaves nothing behind."""

from __future__ import annotations

import socket
from pathlib import Path

from driftguard.history import open_store
from driftguard.sandbox import Sandbox
from tests.scanning import run, variables


def test_a_port_that_is_taken(sandbox_http: Sandbox, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {**variables(sandbox_http), "DRIFTGUARD_STORE": url}
        code, out, err = run(tmp_path, environment, "serve", "--port", str(port))
    assert code == 2, err
    assert str(port) in err and "--port" in err
    assert "serves" not in out + err and "code=" not in out + err
    store = open_store(url)
    assert [one.action for one in store.audit_newest(limit=100)] == []
    store.close()
