"""Resource identities: from `ResourceKey` to row id and back, inside one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from driftguard.history.database import Connection
from driftguard.model import ResourceKey

COLUMNS = "partition, account, region, type, identifier"
LIVE = ("arn", "name", "tags", "created_at", "present")
DECLARED = ("stack", "logical_id", "physical_id")
ATTRIBUTES = LIVE + DECLARED
_BLANK: tuple[object, ...] = (None, None, "{}", None, 0, "", "", "")


def key_of(row: tuple[str, ...]) -> ResourceKey:
    """The key from `COLUMNS`."""
    return ResourceKey(partition=row[0], account=row[1], region=row[2], type=row[3], identifier=row[4])


@dataclass(slots=True)
class Identity:
    id: int
    attributes: tuple[object, ...]
    fresh: bool = False


class Identities:
    """The resources table as a map, loaded account by account, written once by `flush`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._accounts: dict[str, dict[ResourceKey, Identity]] = {}
        self._unwritten: dict[ResourceKey, Identity] = {}
        self._next = int(connection.rows("SELECT COALESCE(MAX(id), 0) FROM resources")[0][0]) + 1

    def of_account(self, account: str) -> dict[ResourceKey, Identity]:
        if account not in self._accounts:
            sql = f"SELECT {COLUMNS}, id, {', '.join(ATTRIBUTES)} FROM resources WHERE account = ?"  # noqa: S608
            self._accounts[account] = {
                key_of(row[:5]): Identity(row[5], tuple(row[6:]))
                for row in self._connection.rows(sql, (account,))
            }
        return self._accounts[account]

    def find(self, key: ResourceKey) -> int | None:
        identity = self.of_account(key.account).get(key)
        return identity.id if identity else None

    def get(self, key: ResourceKey) -> int:
        """The id of ``key``, made if need be."""
        identity = self.of_account(key.account).get(key)
        return (self._make(key) if identity is None else identity).id

    def see(self, key: ResourceKey, live: tuple[object, ...]) -> int:
        """The id of ``key``; of what is known of it (`LIVE`), ``live`` replaces all that is not None there."""
        identity = self.of_account(key.account).get(key) or self._make(key)
        # Every resource of the estate comes by here every night, and hardly one has changed.
        if live != identity.attributes[: len(LIVE)]:
            self._replace(key, identity, (*live, *(None for _ in DECLARED)))
        return identity.id

    def declare(self, key: ResourceKey, declared: tuple[object, ...]) -> int:
        """The same for what a stack says of it (`DECLARED`)."""
        identity = self.of_account(key.account).get(key) or self._make(key)
        self._replace(key, identity, (*(None for _ in LIVE), *declared))
        return identity.id

    def _make(self, key: ResourceKey) -> Identity:
        identity = Identity(self._next, _BLANK, fresh=True)
        self._next += 1
        self.of_account(key.account)[key] = self._unwritten[key] = identity
        return identity

    def _replace(self, key: ResourceKey, identity: Identity, attributes: tuple[object, ...]) -> None:
        pairs = zip(attributes, identity.attributes, strict=True)
        values = tuple(old if new is None else new for new, old in pairs)
        if values != identity.attributes:
            identity.attributes = values
            self._unwritten[key] = identity

    def flush(self) -> None:
        """Write what is new and what changed.  Must run before rows that refer to the ids."""
        fresh, changed = [], []
        for key, identity in self._unwritten.items():
            if identity.fresh:
                parts = (key.partition, key.account, key.region, key.type, key.identifier)
                fresh.append((identity.id, *parts, *identity.attributes))
            else:
                changed.append((*identity.attributes, identity.id))
            identity.fresh = False
        self._unwritten = {}
        names = ", ".join(ATTRIBUTES)
        if fresh:
            marks = ", ".join("?" * (6 + len(ATTRIBUTES)))
            self._connection.many(f"INSERT INTO resources (id, {COLUMNS}, {names}) VALUES ({marks})", fresh)  # noqa: S608
        if changed:
            sets = ", ".join(f"{name} = ?" for name in ATTRIBUTES)
            self._connection.many(f"UPDATE resources SET {sets} WHERE id = ?", changed)  # noqa: S608
