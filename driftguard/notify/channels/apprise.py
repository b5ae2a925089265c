"""Any other service that the apprise library knows, from a list of schemes that stay on the service's own hosts.

Schemes that run programs, write files or post to any host (``exec``, ``file``, ``json``, ``xml``, ``form``,
``syslog``, ``dbus``, ...) are refused: use the kind ``webhook``.
"""

from __future__ import annotations

from driftguard.errors import ConfigError, NotifyError
from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False
ALLOWED = frozenset(
    {"discord", "gchat", "msteams", "opsgenie", "pushover", "slack", "splunk", "spike", "telegram", "tgram",
     "victorops", "webex", "wxteams", "workflows", "zulip", "line", "pagertree", "signl4", "twilio"}
)  # fmt: skip


def check(channel: Channel) -> None:
    need(channel, url_env=channel.url or channel.url_env)
    if channel.url is not None:
        _allowed(channel, channel.url.get_secret_value())


def _allowed(channel: Channel, url: str) -> None:
    scheme = url.partition("://")[0].lower()
    if scheme not in ALLOWED:
        raise ConfigError(
            f"channel `{channel.name}`: apprise's scheme `{scheme}` is not allowed.",
            fix=f"Allowed are {', '.join(sorted(ALLOWED))}; for your own host use the kind `webhook`.",
        )


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    url = tools.url(channel)
    _allowed(channel, url)
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        raise NotifyError(
            "this kind of channel needs the apprise package.",
            fix="`pip install 'driftguard-aws[service]'`.",
            final=True,
        ) from None
    service = Apprise(asset=AppriseAsset(app_id="driftguard", secure_logging=True, plugin_paths=[]))
    if not service.add(url):
        raise NotifyError(f"channel `{channel.name}`: apprise does not understand the address.", final=True)
    body = "\n".join(lines(delivery.message, channel.language, tools.link))
    if not service.notify(title=title(delivery.message, channel.language), body=body):
        # apprise does not say whether the service answered.
        raise NotifyError(f"channel `{channel.name}`: the service did not take the message.", uncertain=True)
    return ""
