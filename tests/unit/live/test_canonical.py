from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from driftguard.live import state_hash
from driftguard.schema import registry

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=6))
def test_the_order_of_keys_does_not_matter(properties: dict[str, object]) -> None:
    assert state_hash(properties) == state_hash(dict(reversed(list(properties.items()))))


@given(st.dictionaries(st.text(max_size=6), JSON, min_size=1, max_size=6), JSON)
def test_another_value_is_another_state(properties: dict[str, object], value: object) -> None:
    name = sorted(properties)[0]
    before = properties[name]
    if before == value and type(before) is type(value):
        return
    if repr(before) != repr(value):
        assert state_hash(properties) != state_hash({**properties, name: value})


def test_tags_count_and_moving_read_only_values_do_not() -> None:
    schema = registry().get("AWS::RDS::DBInstance")
    assert schema is not None
    base = {"DBInstanceIdentifier": "d", "Tags": [{"Key": "a", "Value": "1"}]}
    moved = {**base, "LatestRestorableTime": "2024-01-01"}
    assert schema.is_read_only(("LatestRestorableTime",))
    assert state_hash(base, schema) == state_hash(moved, schema)
    assert state_hash(base) != state_hash({**base, "Tags": [{"Key": "a", "Value": "2"}]})


def test_a_writable_property_with_a_moving_name_counts() -> None:
    schema = registry().get("AWS::SQS::Queue")
    assert state_hash({"LastModified": "1"}, schema) != state_hash({"LastModified": "2"}, schema)
