"""`Aws`: from settings to the accounts and regions that can be read."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any

from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from driftguard import __version__
from driftguard.aws.local_endpoints import drop_account_prefix
from driftguard.aws.organizations import Organizations
from driftguard.aws.pacing import Pacing
from driftguard.aws.place import Place
from driftguard.aws.refusals import EXPIRED, Call, translate
from driftguard.aws.roles import base_session, role_session
from driftguard.aws.sts import Identity, Sts
from driftguard.errors import AccessDeniedError, ConfigError, CredentialsError, EndpointError
from driftguard.model import Gap, GapReason
from driftguard.settings.scope import Account, AwsSettings, ScopeSettings

_SESSION_NAME = "driftguard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One account and region of the scope."""

    account: str
    region: str
    name: str = ""
    environment: str = ""


class Aws:
    """All of AWS that the settings name.

    ``session_factory`` gives the base session (a botocore or boto3 session) instead of botocore's own
    chain.  Thread-safe: clients are made under a lock and then shared.
    """

    def __init__(
        self,
        settings: AwsSettings,
        scope: ScopeSettings,
        *,
        session_factory: Callable[[], Any] | None = None,
    ) -> None:
        self._settings = settings
        self._scope = scope
        self._session_factory = session_factory
        self._pacing = Pacing(settings.calls_per_second, settings.calls_per_second_of)
        self._sessions: dict[str, Session] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._lock = threading.RLock()

    # -- who and where

    def identity(self) -> Identity:
        """Who the base credentials belong to.  Raises `CredentialsError` or `EndpointError`."""
        return self._identity

    @cached_property
    def _identity(self) -> Identity:
        return Sts(partial(self._client_of, "", self.home_region), "", self.home_region).identity()

    @cached_property
    def home_region(self) -> str:
        """The region for calls that belong to no target: STS, Organizations, the aggregator."""
        try:
            region = self._base.get_config_variable("region")
        except BotoCoreError as error:
            raise translate(error, Call("sts", "GetCallerIdentity", "", "", "")) from error
        named = [*self._scope.regions, *(r for a in self._scope.accounts for r in a.regions or ())]
        if not region and not named:
            raise ConfigError("no AWS region is set.", fix="Set `scope.regions` or AWS_REGION.")
        home = str(region or named[0])
        self._refuse_unknown_regions({home})
        return home

    def home(self) -> Place:
        """The place of our own account in `home_region`, without any role."""
        return Place(
            partial(self._client_of, "", self.home_region),
            self.identity().account,
            self.home_region,
            self.identity().partition,
        )

    def targets(self) -> tuple[Target, ...]:
        """Every account and region of the scope, in a stable order.

        Raises `ConfigError` for a region that AWS does not have, and what Organizations answers when the
        discovery is refused: a scope that cannot be told cannot be scanned.
        """
        defaults = self._scope.regions or (self.home_region,)
        targets = [
            Target(account=account.id, region=region, name=account.name, environment=account.environment)
            for account in self._accounts().values()
            for region in account.regions or defaults
        ]
        self._refuse_unknown_regions({target.region for target in targets})
        return tuple(dict.fromkeys(targets))

    def enter(self, target: Target) -> Place | Gap:
        """The place of a target, or the gap that says why it cannot be entered."""
        try:
            identity = self._renewed_identity(target)
            place = self.place(target.account, target.region)
        except CredentialsError as error:
            if error.code in EXPIRED:
                raise
            # A region that is not enabled refuses credentials that are good elsewhere.
            return self._closed(target, str(error), error.action)
        except (AccessDeniedError, EndpointError) as error:
            return self._closed(target, str(error), error.action)
        if identity.account != target.account:
            return self._closed(
                target, f"the role leads into account {identity.account}, not {target.account}.", ""
            )
        return place

    def _renewed_identity(self, target: Target) -> Identity:
        try:
            return self.place(target.account, target.region).sts.identity()
        except CredentialsError as error:
            if error.code not in EXPIRED or not self._role_of(target.account):
                raise
            # A role's session can end early (revoked, or a clock that is wrong): ask for a new one, once.
            self.drop(target.account)
            return self.place(target.account, target.region).sts.identity()

    def place(self, account: str, region: str) -> Place:
        """The gateways of an account and region.  Nothing is called yet."""
        with self._lock:
            if (account, region) not in self._places:
                client = partial(self._client_of, account, region)
                self._places[account, region] = Place(client, account, region, self.identity().partition)
            return self._places[account, region]

    def drop(self, account: str) -> None:
        """Forget an account's clients and credentials once it has been read (0.3 MB per client)."""
        with self._lock:
            self._sessions.pop(account, None)
            self._clients = {key: client for key, client in self._clients.items() if key[0] != account}
            self._places = {key: place for key, place in self._places.items() if key[0] != account}

    # -- accounts

    def _accounts(self) -> dict[str, Account]:
        found = {account.id: account for account in self._scope.accounts}
        if self._scope.organization.enabled:
            for row in self._organization():
                known = found.get(row["Id"])
                name = known.name if known and known.name else row.get("Name", "")
                found[row["Id"]] = (known or Account(id=row["Id"])).model_copy(update={"name": name})
        if not found:
            own = self.identity().account
            found[own] = Account(id=own)
        return found

    def organizational_units(self) -> dict[str, tuple[str, ...]]:
        """Account id -> ids of the root and the units above it.  Raises what Organizations answers."""
        return self._organizations().units_above()

    def _organizations(self) -> Organizations:
        return Organizations(partial(self._client_of, "", self.home_region), "", self.home_region)

    def _organization(self) -> Iterator[Any]:
        choice = self._scope.organization
        organizations = self._organizations()
        without = frozenset(choice.exclude_ous)
        rows: Iterable[Mapping[str, Any]]
        if choice.include_ous or without:
            parents = choice.include_ous or tuple(root["Id"] for root in organizations.roots())
            rows = chain.from_iterable(organizations.accounts_below(p, without) for p in parents)
        else:
            rows = organizations.accounts()
        for row in rows:
            if row.get("Status", "ACTIVE") == "ACTIVE" and row["Id"] not in choice.exclude_accounts:
                yield row

    def _closed(self, target: Target, detail: str, action: str) -> Gap:
        return Gap(
            reason=GapReason.ACCESS_DENIED,
            account=target.account,
            region=target.region,
            detail=f"The account cannot be entered: {detail}",
            action=action or None,
        )

    def _refuse_unknown_regions(self, regions: set[str]) -> None:
        known = {
            region
            for partition in self._base.get_available_partitions()
            for region in self._base.get_available_regions("ec2", partition)
        }
        for region in sorted(regions - known):
            near = difflib.get_close_matches(region, sorted(known), n=1)
            raise ConfigError(
                f"AWS has no region {region}.",
                fix=f"Did you mean `{near[0]}`?"
                if near
                else "Check `scope.regions`, or upgrade boto3 if it is new.",
            )

    # -- sessions and clients

    @cached_property
    def _base(self) -> Session:
        try:
            if self._session_factory is None:
                return base_session(self._settings.profile)
            session = self._session_factory()
            # A boto3 session wraps the botocore session that we work with.
            wrapped: Session = getattr(session, "_session", session)
            return wrapped
        except BotoCoreError as error:
            raise translate(error, Call("sts", "GetCallerIdentity", "", "", "")) from error

    def _role_of(self, account: str) -> str | None:
        """The role to assume for an account; ``None`` for our own, unless one is named for it."""
        named = next((a for a in self._scope.accounts if a.id == account), None)
        if named and named.role_arn:
            return named.role_arn
        if not account or account == self.identity().account:
            return None
        return f"arn:{self.identity().partition}:iam::{account}:role/{self._settings.role_name}"

    def _session_of(self, account: str) -> Session:
        role = self._role_of(account) if account else None
        if role is None:
            return self._base
        if account not in self._sessions:
            self._sessions[account] = role_session(self._base, partial(self._assume, account, role))
        return self._sessions[account]

    def _assume(self, account: str, role: str) -> dict[str, str]:
        named = next((a for a in self._scope.accounts if a.id == account), None)
        external_id = (named.external_id if named else None) or self._settings.external_id
        sts = Sts(partial(self._client_of, "", self.home_region), account, self.home_region)
        try:
            got = sts.assume(
                role, _SESSION_NAME, external_id=external_id, tags=self._settings.session_tags or None
            )
        except AccessDeniedError as error:
            raise CredentialsError(
                f"the role {role} may not be assumed by {self.identity().arn}.",
                code=error.code,
                action=error.action,
                fix="Check that the role exists, its trust policy and external id, and sts:AssumeRole on our side.",
            ) from error
        return {
            "access_key": got["AccessKeyId"],
            "secret_key": got["SecretAccessKey"],
            "token": got["SessionToken"],
            "expiry_time": got["Expiration"].isoformat(),
        }

    def _client_of(self, account: str, region: str, service: str) -> Any:
        key = (account, region, service)
        client = self._clients.get(key)
        if client is None:
            # botocore's sessions are not thread-safe while they make a client; the client itself is.
            with self._lock:
                client = self._clients.get(key)
                if client is None:
                    client = self._clients[key] = self._make(account, region, service)
        return client

    def _make(self, account: str, region: str, service: str) -> Any:
        session = self._session_of(account)
        try:
            client = session.create_client(
                service,
                region_name=region,
                endpoint_url=self._settings.endpoint_url,
                config=self._client_config,
            )
        except ValueError as error:
            raise ConfigError(
                f"the AWS endpoint is not an address ({error}).",
                fix="Write `aws.endpoint_url` or AWS_ENDPOINT_URL as https://HOST:PORT.",
            ) from error
        except BotoCoreError as error:
            raise translate(error, Call(service, "client", "", account, region)) from error
        bucket = self._pacing.bucket(account, region, service)

        def pace(**_: object) -> None:
            bucket.take()

        client.meta.events.register_first("before-send.*", pace)
        client.meta.events.register("before-sign.s3-control", drop_account_prefix)
        return client

    @cached_property
    def _client_config(self) -> ClientConfig:
        settings = self._settings
        return ClientConfig(
            connect_timeout=settings.connect_timeout_seconds,
            read_timeout=settings.read_timeout_seconds,
            retries={"mode": settings.retry_mode, "total_max_attempts": settings.max_attempts},
            max_pool_connections=settings.concurrency,
            user_agent_extra=f"driftguard/{__version__}",
            s3={"addressing_style": "path"} if settings.endpoint_url else None,
        )
