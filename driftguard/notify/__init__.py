"""Who is told what: routes (pure), the outbox's postman, one file per kind of channel."""

from driftguard.notify.channel import Tools, channel_module, check_channels
from driftguard.notify.compose import Composer
from driftguard.notify.post import send_due, send_test

__all__ = ["Composer", "Tools", "channel_module", "check_channels", "send_due", "send_test"]
