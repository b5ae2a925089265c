"""A small OpenID provider over real HTTP: discovery, keys, authorization code with PKCE.  It can be made to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "driftguard", "a secret"


@dataclass
class Provider:
    """One provider.  ``lies`` overwrite claims of the next tokens; ``stranger`` signs with a key of somebody else."""

    url: str = ""
    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    stranger: bool = False
    unsigned: bool = False
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def metadata(self) -> dict[str, str]:
        return {
            "issuer": self.issuer or self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
        }

    def authorize(self, query: Mapping[str, str]) -> str:
        """Where the reader is sent back to; raises KeyError for a request that lacks something."""
        asked = (
            "client_id",
            "redirect_uri",
            "state",
            "nonce",
            "code_challenge",
            "code_challenge_method",
            "scope",
        )
        kept = {name: query[name] for name in asked}
        if (
            kept["client_id"] != CLIENT
            or query["response_type"] != "code"
            or "openid" not in kept["scope"].split()
        ):
            raise KeyError("client")
        if kept["code_challenge_method"] != "S256":
            raise KeyError("PKCE")
        code = secrets.token_urlsafe(16)
        self.codes[code] = kept
        return f"{kept['redirect_uri']}?{urlencode({'code': code, 'state': kept['state']})}"

    def token(self, form: Mapping[str, str]) -> dict[str, str]:
        """The token for a code, once, and only for whoever knows the verifier."""
        kept = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        right = (challenge, SECRET, kept["redirect_uri"])
        if (kept["code_challenge"], form["client_secret"], form["redirect_uri"]) != right:
            raise KeyError("invalid_grant")
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": kept["nonce"]}
        claims |= self.claims | self.lies
        if self.unsigned:
            parts = (json.dumps({"alg": "none"}), json.dumps(claims))
            bare = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
            return {"id_token": ".".join([*bare, ""]), "token_type": "Bearer"}
        key = RSAKey.generate_key(2048, {"kid": "k1"}) if self.stranger else self.key
        return {"id_token": jwt.encode({"alg": "RS256", "kid": "k1"}, claims, key), "token_type": "Bearer"}


@contextmanager
def provider(**claims: Any) -> Iterator[Provider]:
    """A running provider that vouches for somebody with ``claims``."""
    made = Provider(claims=claims)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, body: Mapping[str, Any], **headers: str) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(data)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/.well-known/openid-configuration":
                self._answer(200, made.metadata())
            elif address.path == "/keys":
                self._answer(200, {"keys": [made.key.as_dict(private=False)]})
            elif address.path == "/authorize":
                try:
                    back = made.authorize(
                        {name: values[0] for name, values in parse_qs(address.query).items()}
                    )
                except KeyError as error:
                    self._answer(400, {"error": str(error)})
                else:
                    self._answer(302, {}, location=back)
            else:
                self._answer(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            try:
                self._answer(200, made.token({name: values[0] for name, values in parse_qs(body).items()}))
            except KeyError as error:
                self._answer(400, {"error": str(error)})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
