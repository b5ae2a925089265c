"""The whole of ``config.yaml``."""

from __future__ import annotations

from pydantic import Field

from driftguard.settings.base import Section
from driftguard.settings.notify import NotifySettings
from driftguard.settings.policies import PolicySettings
from driftguard.settings.remediation import RemediationSettings
from driftguard.settings.scanning import ScanSettings, StoreSettings
from driftguard.settings.scope import AwsSettings, ScopeSettings
from driftguard.settings.service import ServiceSettings
from driftguard.settings.web import WebSettings


class Settings(Section):
    """Everything that can be set.  Defaults are read-only: nothing here changes AWS until you say so."""

    scope: ScopeSettings = Field(default_factory=ScopeSettings, description="What is looked at.")
    aws: AwsSettings = Field(default_factory=AwsSettings, description="How AWS is called.")
    scan: ScanSettings = Field(default_factory=ScanSettings, description="How a scan works.")
    store: StoreSettings = Field(default_factory=StoreSettings, description="Where history is kept.")
    policies: PolicySettings = Field(default_factory=PolicySettings, description="What is judged.")
    remediation: RemediationSettings = Field(
        default_factory=RemediationSettings, description="What may be put right, how, and by whom."
    )
    service: ServiceSettings = Field(
        default_factory=ServiceSettings, description="Schedules, events, and how workers share the work."
    )
    notify: NotifySettings = Field(
        default_factory=NotifySettings, description="Who is told what, where and when."
    )
    web: WebSettings = Field(default_factory=WebSettings, description="Pages, REST API and access.")
