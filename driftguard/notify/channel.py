"""What all kinds of channels share.  A kind is a module of `driftguard.notify.channels`:

``IDEMPOTENT`` says that sending the same delivery twice is one message there, ``check(channel)`` raises
`ConfigError` for settings that lack something, ``send(channel, delivery, tools)`` sends and answers a
reference, or raises `NotifyError`.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import driftguard.notify.channels
from driftguard.aws import Aws
from driftguard.aws.gateway import Gateway
from driftguard.errors import AwsError, ConfigError, NotifyError
from driftguard.notify.http import Http
from driftguard.settings.notify import Channel

G = TypeVar("G", bound=Gateway)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a channel works with."""

    aws: Aws | None = None
    http: Http = field(default_factory=Http)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    link: str = ""

    def url(self, channel: Channel) -> str:
        """The channel's address, from the settings or the environment.  Raises `NotifyError`."""
        if channel.url is not None:
            return channel.url.get_secret_value()
        return self._variable(channel, channel.url_env)

    def secret(self, channel: Channel) -> str:
        """The channel's key.  Raises `NotifyError`."""
        return self._variable(channel, channel.secret_env)

    def _variable(self, channel: Channel, name: str | None) -> str:
        value = self.environ.get(name or "", "")
        if not value:
            raise NotifyError(
                f"channel `{channel.name}`: the environment variable {name} is not set.",
                fix="Set it for the process that sends.",
            )
        return value

    def gateway(self, channel: Channel, kind: type[G], account: str = "", region: str = "") -> G:
        """A writing gateway in the channel's account and region, by default our own."""
        if self.aws is None:
            raise NotifyError(f"channel `{channel.name}` needs AWS.", final=True)
        try:
            home = self.aws.home()
            account = account or channel.account or home.account
            return self.aws.place(account, region or channel.region or home.region).gateway(kind)
        except AwsError as error:
            raise NotifyError(error.message, fix=error.fix) from error


def kinds() -> tuple[str, ...]:
    """Every kind of channel there is."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(driftguard.notify.channels.__path__)))


def channel_module(channel: Channel) -> Any:
    """The module of a channel's kind.  Raises `ConfigError`."""
    if channel.kind not in kinds():
        raise ConfigError(
            f"channel `{channel.name}`: there is no kind `{channel.kind}`.",
            fix=f"There are: {', '.join(kinds())}.",
        )
    return importlib.import_module(f"driftguard.notify.channels.{channel.kind}")


def check_channels(channels: Iterable[Channel]) -> None:
    """Raise `ConfigError` for the first channel that lacks something."""
    for channel in channels:
        channel_module(channel).check(channel)


def need(channel: Channel, **fields: object) -> None:
    """Raise `ConfigError` unless every one of ``fields`` is given."""
    for name, value in fields.items():
        if not value:
            raise ConfigError(f"channel `{channel.name}` ({channel.kind}) needs `{name}`.", fix="Set it.")
