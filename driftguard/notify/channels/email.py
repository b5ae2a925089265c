"""E-mail: by SMTP with TLS, or by Amazon SES (``url: ses://``)."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import urlsplit

from driftguard.aws.write.publish import SesWrite
from driftguard.errors import ConfigError, NotifyError
from driftguard.model.notice import Delivery
from driftguard.notify.channel import Tools, need
from driftguard.notify.http import refuse, resolve
from driftguard.notify.words import lines, title
from driftguard.settings.notify import Channel

IDEMPOTENT = False
_SECONDS = 20


def check(channel: Channel) -> None:
    need(
        channel,
        url_env=channel.url or channel.url_env,
        target=channel.target,
        recipients=channel.recipients,
    )
    if any("\n" in address or "@" not in address for address in (channel.target, *channel.recipients)):
        raise ConfigError(
            f"channel `{channel.name}`: an e-mail address is wrong.", fix="Write name@example.com."
        )


def send(channel: Channel, delivery: Delivery, tools: Tools) -> str:
    mail = letter(channel, delivery, tools.link)
    parts = urlsplit(tools.url(channel))
    if parts.scheme == "ses":
        return tools.gateway(channel, SesWrite).send(channel.target, channel.recipients, bytes(mail))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise NotifyError(
            "the mail server's address is wrong.",
            fix="Write smtp://HOST:587, smtps://HOST or ses://.",
            final=True,
        )
    _by_smtp(channel, mail, parts.scheme, parts.hostname, parts.port, tools)
    return str(mail["Message-ID"])


def letter(channel: Channel, delivery: Delivery, link: str) -> EmailMessage:
    """The e-mail, plain text."""
    mail = EmailMessage()
    mail["Subject"] = title(delivery.message, channel.language).replace("\r", " ").replace("\n", " ")[:200]
    mail["From"] = channel.target
    mail["To"] = ", ".join(channel.recipients)
    mail["Date"] = formatdate()
    mail["Message-ID"] = f"<{delivery.id}@driftguard.{channel.target.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(lines(delivery.message, channel.language, link)))
    return mail


def _by_smtp(
    channel: Channel, mail: EmailMessage, scheme: str, host: str, port: int | None, tools: Tools
) -> None:
    context = ssl.create_default_context()
    port = port or (465 if scheme == "smtps" else 587)
    for address in resolve(host, port):
        refuse(address, host, channel.allow_private)
    delivered = False
    try:
        server = (
            smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
            if scheme == "smtps"
            else smtplib.SMTP(host, port, timeout=_SECONDS)
        )
        with server:
            if scheme == "smtp":
                server.starttls(context=context)
            if channel.user:
                server.login(channel.user, tools.secret(channel))
            delivered = True
            server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        # The server said no: it did not take the mail.
        raise NotifyError(
            f"{host} refused the mail ({error.smtp_code}).", final=500 <= error.smtp_code < 600
        ) from None
    except smtplib.SMTPRecipientsRefused:
        raise NotifyError(f"{host} refused all recipients.", final=True) from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotifyError(f"{host}: {type(error).__name__}.", uncertain=delivered) from None
