"""The sandbox as one object."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import TracebackType

import boto3

from driftguard.sandbox import control, identity, managed_policies, moto_costs, moto_faults, organization
from driftguard.sandbox.clock import Clock
from driftguard.sandbox.core import World
from driftguard.sandbox.faults import Faults
from driftguard.sandbox.gateway import Gateway
from driftguard.sandbox.loopback import Loopback, new_session
from driftguard.sandbox.server import Server
from driftguard.sandbox.types.base import load_adapters

MANAGEMENT, PRODUCTION, DEVELOPMENT = "111111111111", "222222222222", "333333333333"
DEFAULT_ACCOUNTS = (MANAGEMENT, PRODUCTION, DEVELOPMENT)
DEFAULT_REGIONS = ("ap-northeast-2", "us-east-1")


class Sandbox:
    """A local AWS: accounts of one organization, a clock, faults, and two ways in.

    The first account is the organization's management account.  Moto keeps its state per process, so
    there can be only one sandbox with content at a time: making one empties what was there.
    """

    def __init__(
        self,
        *,
        accounts: Sequence[str] = DEFAULT_ACCOUNTS,
        regions: Sequence[str] = DEFAULT_REGIONS,
        clock: Clock | None = None,
        seed: int = 0,
    ) -> None:
        managed_policies.install()
        moto_costs.install()
        moto_faults.install()
        _load_services()
        load_adapters()
        self.clock = clock or Clock()
        self.world = World(accounts, self.clock, regions)
        self.faults = Faults(self.clock, seed)
        self.directory = identity.install(self.world)
        self.gateway = Gateway(self.world, self.directory, self.faults)
        self._accounts = tuple(accounts)
        self._servers: list[Server] = []
        self.reset()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts, the management account first."""
        return tuple(self.world.accounts)

    @property
    def timing(self) -> dict[str, float]:
        """How long asynchronous things take, in seconds of the clock: ``drift``, ``scan``, ``trail_lag``..."""
        return self.world.timing

    @property
    def unknown(self) -> list[str]:
        """``service:operation`` of every call so far that the sandbox could not answer."""
        return self.gateway.unknown

    def session(
        self,
        *,
        account: str | None = None,
        region: str = DEFAULT_REGIONS[0],
        principal: str = "developer",
    ) -> boto3.Session:
        """A boto3 session whose clients reach the sandbox in this process, without a socket.

        ``principal`` is a user name or an ARN (user, role session, root) that the trail will show.
        """
        who = identity.principal_from_arn(principal, account or self.accounts[0])
        keys = self.directory.issue(who)
        session = new_session()
        session.set_credentials(keys.access_key, keys.secret_key, keys.session_token)
        session.set_config_variable("region", region)
        session.get_component("event_emitter").register_first("before-send", Loopback(self.gateway))
        return boto3.Session(botocore_session=session)

    def environment(self, *, account: str | None = None, region: str = DEFAULT_REGIONS[0]) -> dict[str, str]:
        """Environment variables with which any AWS client of another process reaches the last server."""
        return {
            "AWS_ENDPOINT_URL": self._servers[-1].url,
            "AWS_ACCESS_KEY_ID": account or self.accounts[0],
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> str:
        """Serve over HTTP in threads of this process, and return the address; OSError if it is taken."""
        server = Server(self.gateway, host=host, port=port)
        self._servers.append(server)
        return server.url

    def wait(self) -> None:
        """Block while a server runs."""
        for server in self._servers:
            server.wait()

    def reset(self) -> None:
        """Empty all accounts; rules, clock and issued session keys: back to the start."""
        with self.world.lock:
            reset(self.gateway)
            self.world.accounts[:] = self._accounts
            organization.seed(self.world)

    def close(self) -> None:
        """Stop the servers."""
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reset(gateway: Gateway) -> None:
    """Empty moto and the sandbox's stores, end all faults, return to real time."""
    directory = gateway._directory
    world = gateway.world
    moto_costs.empty()
    world.reset()
    world.store("sts.sessions", "", "")["directory"] = directory
    world.clock.reset()
    gateway.faults.clear()
    gateway.unknown.clear()


def _reset_over_http(gateway: Gateway) -> None:
    with gateway.world.lock:
        reset(gateway)
        organization.seed(gateway.world)


control.RESET.append(_reset_over_http)


@cache
def _load_services() -> None:
    """Import every module below the sandbox that can register operations."""
    package = importlib.import_module("driftguard.sandbox")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
