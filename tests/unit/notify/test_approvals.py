"""A plan that waits is told to those who may approve it, with the way to its page."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from driftguard.notify.compose import Composer
from driftguard.notify.words import title
from driftguard.settings.notify import NotifySettings
from tests.history_values import finding, night
from tests.service_values import plan_of

CHANNELS = [{"name": "ops", "kind": "slack", "url_env": "A"}]


def test_the_message_leads_to_the_page_of_the_plan() -> None:
    given = {"channels": CHANNELS, "approvals": ["ops"], "link": "https://drift.example.com/"}
    composer = Composer(settings=NotifySettings.model_validate(given))
    plan = plan_of([finding("archive")], "lee")
    (delivery,) = composer.of_plan(plan, night(0))
    assert f"https://drift.example.com/plans/{plan.id}" in delivery.message.text.splitlines()
    assert "lee" in delivery.message.title and "archive" in delivery.message.text
    assert title(delivery.message, "ko") == f"lee의 계획 {plan.id} 승인 대기 (1단계)"
    assert title(delivery.message, "en") == delivery.message.title
    assert composer.of_plan(plan, night(1))[0].id == delivery.id, "told once, however often it is put"


def test_a_channel_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError, match="no channel mail"):
        NotifySettings.model_validate({"channels": CHANNELS, "approvals": ["mail"]})
