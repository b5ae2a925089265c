"""``web``: where the service listens, who may come in, and what they may do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from driftguard.settings.base import Section

Role = Literal["viewer", "operator", "approver", "admin"]


class Grant(Section):
    """A role for people, on all accounts or on some.  Several grants add up."""

    role: Role = Field(
        description="viewer reads, operator also scans, waives and plans, approver also approves, admin everything."
    )
    users: tuple[str, ...] = Field(
        (), description="E-mail addresses or subjects of the identity provider, wildcards allowed."
    )
    groups: tuple[str, ...] = Field((), description="Groups of the identity provider.")
    accounts: tuple[str, ...] = Field((), description="Account ids; empty (and no OUs): all accounts.")
    organizational_units: tuple[str, ...] = Field(
        (), description="OU ids; their accounts stand in `web.organizational_units`."
    )


class OidcSettings(Section):
    """Sign-in with an OpenID Connect provider."""

    issuer: str = Field("", description="The issuer's https address; empty: no such sign-in.")
    client_id: str = Field("", description="The client id.")
    client_secret: SecretStr = Field(
        SecretStr(""), description="The client secret; better DRIFTGUARD_WEB__OIDC__CLIENT_SECRET."
    )
    scopes: str = Field("openid email profile", description="Scopes to ask for.")
    groups_claim: str = Field("groups", description="The claim that lists a person's groups.")


class WebSettings(Section):
    """The pages, the REST API and access to them."""

    host: str = Field(
        "127.0.0.1", description="The address to listen on; another one than loopback needs authentication."
    )
    port: int = Field(8420, ge=0, le=65535, description="The port to listen on.")
    public_url: str = Field(
        "", description="The address under which people reach the service, for links and sign-in."
    )
    behind_proxy: bool = Field(False, description="A proxy in front ends TLS and sets X-Forwarded-*.")
    trusted_proxies: tuple[str, ...] = Field(
        ("127.0.0.1",), description="Addresses whose X-Forwarded-* are believed."
    )
    tls_certificate: str | None = Field(None, description="A PEM file with the certificate chain.")
    tls_key: str | None = Field(None, description="A PEM file with the private key.")
    oidc: OidcSettings = Field(default_factory=OidcSettings, description="Sign-in with OpenID Connect.")
    grants: tuple[Grant, ...] = Field((), description="Who may do what.")
    organizational_units: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="The accounts of each OU that grants name."
    )
    session_hours: float = Field(10, gt=0, le=168, description="How long a sign-in lasts.")
    session_idle_minutes: float = Field(60, gt=0, le=1440, description="How long a session may lie idle.")
    requests_per_minute: int = Field(600, ge=1, description="Requests of one caller in a minute.")
    sign_ins_per_minute: int = Field(10, ge=1, description="Sign-in attempts of one address in a minute.")
    metrics_open: bool = Field(
        False, description="Answer /metrics without a token (only for a network that is closed)."
    )
