"""What moto does slowly and the sandbox asks for often, done in less time with the same outcome."""

from __future__ import annotations

from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend, backend_lock
from moto.core.model_instances import reset_model_data
from moto.ec2 import utils as ec2_utils
from moto.moto_api._internal import mock_random


def _resource_id(size: int = 8) -> str:
    """``size`` hexadecimal digits in one draw: a region begins with 2,600 of them for its machine images."""
    return f"{mock_random.getrandbits(4 * size):0{size}x}"


def install() -> None:
    """Make moto of this process quicker."""
    ec2_utils.random_resource_id = _resource_id


def empty() -> None:
    """Forget everything that moto holds.

    Moto starts every backend anew before it throws it away, EC2 with all its machine images; only those
    that have something of their own to close need more than being thrown away.
    """
    in_use: list[Any] = getattr(BackendDict, "_instances")  # noqa: B009 - generic, which mypy holds against it
    with backend_lock:
        for service in in_use:
            for account in service.values():
                for backend in account.values():
                    if type(backend).reset is not BaseBackend.reset:
                        backend.reset()
            service.clear()
        in_use.clear()
    reset_model_data()
