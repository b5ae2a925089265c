"""Sign-in with an OpenID Connect provider: authorization code with PKCE, state and nonce.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from driftguard.errors import ConfigError, EndpointError
from driftguard.history.port import Store
from driftguard.service.access.network import address, is_loopback
from driftguard.service.problems import ForbiddenError
from driftguard.settings.web import WebSettings

_KIND = "oidc-state"
_MINUTES = 10
_SECONDS = 10
_LEEWAY_SECONDS = 60
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"]

Fetch = Callable[[str, Mapping[str, str] | None], Mapping[str, Any]]


class NeverBegunError(ForbiddenError):
    """Nobody began the sign-in that somebody comes back from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the provider vouches for.  ``names`` are what grants may call this person."""

    name: str
    names: tuple[str, ...]
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Oidc:
    """One provider.  ``fetch`` gets JSON from an address, or posts a form to it; by default over the network."""

    settings: WebSettings
    store: Store
    fetch: Fetch | None = None

    def begin(self) -> tuple[str, str]:
        """Where to send the reader, and the state that must come back with them."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self.store.put_document(
            _KIND,
            state,
            {"nonce": nonce, "verifier": verifier},
            expires_at=datetime.now(UTC) + timedelta(minutes=_MINUTES),
        )
        address: str = prepare_grant_uri(
            self._metadata()["authorization_endpoint"],
            client_id=self.settings.oidc.client_id,
            response_type="code",
            redirect_uri=self._redirect(),
            scope=self.settings.oidc.scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return address, state

    def finish(self, state: str, code: str) -> Person:
        """Whoever came back with ``code``.  Raises `NeverBegunError`, and `ForbiddenError` when the
        provider's word does not hold."""
        kept = self.store.take_document(_KIND, state)
        if kept is None:
            raise NeverBegunError("this sign-in is over or was never begun.", fix="Sign in again.")
        if not code:
            raise ForbiddenError("the identity provider let nobody in.", fix="Sign in again.")
        metadata = self._metadata()
        answer = self._get(
            metadata["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect(),
                "client_id": self.settings.oidc.client_id,
                "client_secret": self.settings.oidc.client_secret.get_secret_value(),
                "code_verifier": str(kept.value["verifier"]),
            },
        )
        keys = self._get(metadata["jwks_uri"], None)
        claims = self._claims(str(answer.get("id_token", "")), keys, str(kept.value["nonce"]))
        subject = str(claims["sub"])
        # An address that the provider did not verify is somebody's claim, and grants nothing.
        email = str(claims.get("email", "")) if claims.get("email_verified") in (True, "true") else ""
        groups = claims.get(self.settings.oidc.groups_claim) or ()
        return Person(
            name=email or subject,
            names=(email, subject),
            groups=tuple(map(str, groups)) if isinstance(groups, list | tuple) else (str(groups),),
        )

    def _claims(self, token: str, keys: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.jwk import KeySet

        oidc = self.settings.oidc
        try:
            decoded = jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                {
                    "iss": {"essential": True, "value": oidc.issuer},
                    "aud": {"essential": True, "value": oidc.client_id},
                },
                {"nonce": nonce, "client_id": oidc.client_id},
            )
            claims.validate(leeway=_LEEWAY_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a token, it proves nobody
            raise ForbiddenError(
                f"the identity provider's token does not hold ({type(error).__name__}).", fix="Sign in again."
            ) from None
        return dict(claims)

    def _metadata(self) -> Mapping[str, Any]:
        issuer = self.settings.oidc.issuer
        if not issuer:
            raise ConfigError(
                "no identity provider is set.", fix="Set web.oidc.issuer and web.oidc.client_id."
            )
        metadata = self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", None)
        if metadata.get("issuer") != issuer:
            raise ConfigError(
                f"the identity provider calls itself {metadata.get('issuer')}, not {issuer}.",
                fix="Write web.oidc.issuer exactly as the provider does.",
            )
        return metadata

    def _get(self, url: str, form: Mapping[str, str] | None) -> Mapping[str, Any]:
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ConfigError(
                f"the identity provider's address {url[:200]} is not encrypted.",
                fix="Use one that begins with https://.",
            )
        return (self.fetch or fetch_json)(url, form)

    def _redirect(self) -> str:
        return f"{address(self.settings)}/sign-in/callback"


def fetch_json(url: str, form: Mapping[str, str] | None) -> Mapping[str, Any]:
    """GET ``url``, or POST ``form`` to it; the JSON object it answers.  Raises `EndpointError`."""
    import httpx2

    try:
        with httpx2.Client(timeout=_SECONDS, follow_redirects=False) as client:
            response = client.get(url) if form is None else client.post(url, data=dict(form))
            response.raise_for_status()
            answer = response.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise EndpointError(
            f"the identity provider does not answer as it should ({type(error).__name__}).",
            fix="Check web.oidc.issuer and the network.",
        ) from None
    if not isinstance(answer, dict):
        raise EndpointError("the identity provider answered something else than an object.")
    return answer
