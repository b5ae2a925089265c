"""Findings as people name them: in full, or by their first digits."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.cli.chosen import one_finding
from driftguard.errors import InputError
from driftguard.history.port import Page
from tests.history_values import finding


class Store:
    """Two open findings that share their first digits."""

    known = (
        finding("one", fingerprint="0123456789ab" + "0" * 20),
        finding("two", fingerprint="0123456789ac" + "0" * 20),
    )

    def finding(self, name: str) -> Any:
        return next((one for one in self.known if one.fingerprint == name), None)

    def findings(self, query: Any) -> Page[Any]:
        return Page(items=self.known)


def test_the_first_digits_name_a_finding_where_they_name_one_only() -> None:
    store: Any = Store()
    for one in Store.known:
        assert one_finding(store, one.fingerprint) == one_finding(store, one.fingerprint[:12]) == one
    with pytest.raises(InputError, match="names 2 findings"):
        one_finding(store, "0123456789a")
    with pytest.raises(InputError, match="no finding 0123456"):
        one_finding(store, "0123456")
