from __future__ import annotations

import pytest

from driftguard.aws import Aws, Place
from driftguard.settings import Settings
from tests.fake_aws import ACCOUNT, FakeAws


@pytest.fixture
def fake() -> FakeAws:
    return FakeAws()


def aws_of(fake: FakeAws, **settings: object) -> Aws:
    made = Settings.model_validate(
        {"aws": {"retry_mode": "standard", "max_attempts": 2, "calls_per_second": 500}, **settings}
    )
    return Aws(made.aws, made.scope, session_factory=fake.session)


@pytest.fixture
def aws(fake: FakeAws) -> Aws:
    return aws_of(fake)


@pytest.fixture
def place(aws: Aws) -> Place:
    return aws.place(ACCOUNT, "us-east-1")
