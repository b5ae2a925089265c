"""What moto gets wrong in services that otherwise stay moto's, put right in this process."""

from __future__ import annotations

from functools import wraps
from typing import Any

from moto.dynamodb.responses import DynamoHandler
from moto.kms.models import KmsBackend
from moto.moto_api._internal import mock_random
from moto.rds.models import DBInstance
from moto.sqs.models import Queue

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FIXED = "_driftguard_fixed"


def install() -> None:
    """Put right what is wrong; a second call changes nothing."""
    if getattr(DBInstance, _FIXED, False):
        return
    setattr(DBInstance, _FIXED, True)
    _own_resource_ids()
    _policies_stay()
    _tables_take_keys()
    _keys_by_arn()


def _own_resource_ids() -> None:
    """Every instance of moto has the same DbiResourceId, so that a filter by it finds all of them."""
    made = DBInstance.__init__

    @wraps(made)
    def own(self: Any, *arguments: Any, **named: Any) -> None:
        made(self, *arguments, **named)
        self.dbi_resource_id = "db-" + "".join(mock_random.choice(_LETTERS) for _ in range(26))

    DBInstance.__init__ = own  # type: ignore[method-assign]


def _policies_stay() -> None:
    """SetQueueAttributes keeps what is not named; moto forgets the policy."""
    set_them = Queue._set_attributes

    @wraps(set_them)
    def kept(self: Any, attributes: dict[str, Any], *arguments: Any, **named: Any) -> Any:
        before = getattr(self, "policy", None)
        answer = set_them(self, attributes, *arguments, **named)
        if "Policy" not in attributes and before is not None:
            self.policy = before
        return answer

    Queue._set_attributes = kept  # type: ignore[method-assign]


def _tables_take_keys() -> None:
    """UpdateTable changes the encryption of a table; moto reads it at its making only."""
    update = DynamoHandler.update_table

    @wraps(update)
    def with_encryption(self: Any) -> Any:
        wanted = self.body.get("SSESpecification")
        if wanted:
            table = self.dynamodb_backend.get_table(self.body["TableName"])
            table.sse_specification = dict(wanted)
        return update(self)

    DynamoHandler.update_table = with_encryption  # type: ignore[method-assign]


def _keys_by_arn() -> None:
    """CancelKeyDeletion takes the ARN of a key as well as its id."""
    cancel = KmsBackend.cancel_key_deletion

    @wraps(cancel)
    def by_arn(self: Any, key_id: str) -> None:
        cancel(self, key_id.rsplit("/", 1)[-1])

    KmsBackend.cancel_key_deletion = by_arn  # type: ignore[method-assign]
