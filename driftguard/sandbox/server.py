"""The sandbox over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from driftguard.sandbox.gateway import Gateway
from driftguard.sandbox.loopback import INTERNAL, CutConnectionError


class _HttpServer(ThreadedWSGIServer):
    """One thread per connection, none of which keeps the process alive."""

    daemon_threads = True

    def __init__(self, host: str, port: int, gateway: Gateway, *, fd: int) -> None:
        self.stopped = threading.Event()
        super().__init__(host, port, _Unreliable(gateway, self.stopped), _Handler, fd=fd)


class _Handler(MotoRequestHandler):
    """Serves one connection, silently."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: requests are in the trail."""

    def make_environ(self) -> dict[str, Any]:
        """The WSGI environment, from which nobody outside can claim to be the sandbox itself."""
        environ: dict[str, Any] = super().make_environ()
        environ.pop(INTERNAL, None)
        return environ


class _Unreliable:
    """The gateway, with the broken connections that fault rules ask for really broken."""

    def __init__(self, gateway: Gateway, stopped: threading.Event) -> None:
        self._gateway = gateway
        self._stopped = stopped

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            return self._gateway(environ, start_response)
        except CutConnectionError as cut:
            if cut.timeout:
                self._stopped.wait(cut.seconds)
            # Closing would wait for the handler's own file objects; shutting down takes effect at once.
            connection: socket.socket = environ["werkzeug.socket"]
            connection.shutdown(socket.SHUT_RDWR)
            # Werkzeug takes this for a caller that went away, which needs no answer and no log.
            raise ConnectionResetError from cut


class Server:
    """A running HTTP server.  ``port`` 0 takes a free one; raises OSError if the port is taken."""

    def __init__(self, gateway: Gateway, *, host: str = "127.0.0.1", port: int = 0) -> None:
        # Werkzeug ends the process when a port is taken; binding it ourselves gives an OSError instead.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        bound = listener.getsockname()[1]
        self._server = _HttpServer(host, bound, gateway, fd=listener.detach())
        self._thread = threading.Thread(target=self._server.serve_forever, name="sandbox", daemon=True)
        self._thread.start()
        self.url = f"http://{host}:{bound}"

    def wait(self) -> None:
        """Block until the server stops."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def stop(self) -> None:
        """Stop serving; connections that a fault rule keeps waiting are let go."""
        self._server.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
