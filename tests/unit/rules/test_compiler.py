"""Compiled expressions answer as jmespath does; with holes they answer no more than is certain."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftguard.model import Partial, Resource, ResourceKey, Source, Unknown
from driftguard.rules.compile import parse
from driftguard.rules.relations import JudgeContext, Judged
from driftguard.rules.values import Maybe, Reference, Unseen, truth

TYPE = "AWS::Not::Registered"
C = Judged(
    Resource(
        key=ResourceKey(account="1", region="r", type=TYPE, identifier="x"),
        properties={},
        source=Source.TEMPLATE,
    ),
    JudgeContext(),
)
NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from(["", "a", "b", "x y", "0"]),
    st.floats(0, 2, allow_nan=False),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
LITERALS = st.sampled_from(
    ["'a'", "''", "`0`", "`1`", "`true`", "`false`", "`null`", "`[]`", '`{"a": 1}`', '`["a", 1]`']
)


def _expressions() -> st.SearchStrategy[str]:
    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.tuples(inner, inner).map(lambda two: f"({two[0]} && {two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]} || {two[1]})"),
            inner.map(lambda one: f"!({one})"),
            st.tuples(inner, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), inner)
            .map(" ".join)
            .map("({})".format),
            st.tuples(inner, NAMES).map(lambda two: f"({two[0]}).{two[1]}"),
            st.tuples(inner, st.integers(-2, 2)).map(lambda two: f"({two[0]})[{two[1]}]"),
            st.tuples(inner, st.sampled_from(["[0:1]", "[::2]", "[::-1]", "[-2:]"])).map("".join),
            st.tuples(inner, inner).map(lambda two: f"({two[0]})[?{two[1]}]"),
            st.tuples(inner, NAMES).map(lambda two: f"({two[0]})[*].{two[1]}"),
            st.tuples(inner, NAMES).map(lambda two: f"({two[0]})[].{two[1]}"),
            st.tuples(inner, NAMES).map(lambda two: f"({two[0]}).*.{two[1]}"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) | [{two[1]}, @]"),
            st.tuples(inner, inner).map(lambda two: "({}).{{p: {}, q: a}}".format(*two)),
            st.tuples(
                st.sampled_from(
                    [
                        "length",
                        "type",
                        "to_string",
                        "to_array",
                        "keys",
                        "values",
                        "sort",
                        "to_number",
                        "reverse",
                        "max",
                    ]
                ),
                inner,
            ).map(lambda two: f"{two[0]}({two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"contains({two[0]}, {two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"not_null({two[0]}, {two[1]})"),
            inner.map(lambda one: f"map(&a, {one})"),
            inner.map(lambda one: f"sort_by({one}, &b)"),
        )

    return st.recursive(NAMES | LITERALS | st.just("@"), extend, max_leaves=6)


def _answer(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__ if "Error" in type(error).__name__ else error


# Random expressions index literals, which Python finds worth a word.
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@settings(max_examples=600, deadline=None)
@given(expression=_expressions(), document=DOCUMENTS)
def test_compiled_is_jmespath(expression: str, document: Any) -> None:
    compiled = parse(expression, (TYPE,)).compiled({})
    expected = _answer(jmespath.search, expression, document)
    for form in (compiled.plain, compiled.careful):
        assert _same(_answer(form, document, C), expected)


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and repr(left) == repr(right)


U = Unknown("not yet")
KLEENE = [
    ("a && b", {"a": U, "b": False}, False),
    ("a && b", {"a": U, "b": True}, U),
    ("a || b", {"a": U, "b": True}, True),
    ("a || b", {"a": U, "b": False}, U),
    ("!a", {"a": U}, U),
    ("a == 'x'", {"a": U}, U),
    ("a.b.c == 'x'", {"a": U}, U),
    ("a > `1`", {"a": U}, U),
    ("a == 'x'", {"a": Reference("Key")}, False),
    ("a != 'x'", {"a": Reference("Key")}, True),
    ("a == 'x'", {"a": Partial(("y-", U))}, False),
    ("a == 'y-1'", {"a": Partial(("y-", U))}, U),
    ("present(a)", {"a": U}, True),
    ("absent(a)", {"a": Reference("Key")}, False),
    ("present(a.b)", {"a": U}, U),
    ("absent(a)", {"a": Unseen("not read")}, U),
    ("present(not_null(a, b))", {"a": Unseen("not read"), "b": 1}, U),
    ("is_true(a)", {"a": U}, U),
    ("is_true(a)", {"a": Reference("Key")}, False),
    ("any(a, &@ == 'x')", {"a": [U, "x"]}, True),
    ("any(a, &@ == 'x')", {"a": [U, "y"]}, U),
    ("all(a, &@ == 'x')", {"a": [U, "y"]}, False),
    ("all(a, &@ == 'x')", {"a": [U, "x"]}, U),
    ("all(a, &@ == 'x')", {"a": U}, U),
    ("length(a[?b == 'x']) == `0`", {"a": [{"b": U}]}, U),
    ("length(a[?b == 'x']) == `0`", {"a": [{"b": "y"}]}, True),
    ("a[?b == 'x']", {"a": [{"b": U}]}, U),
    ("a[?b == 'x']", {"a": [{"b": U}, {"b": "x"}]}, True),
    ("has(a, '*')", {"a": ["s3:*", Reference("R", "Arn")]}, False),
    ("has(a, '*')", {"a": [U, "*"]}, True),
    ("contains(a, 'x')", {"a": [U]}, U),
    ("is_world(a)", {"a": U}, U),
    ("is_world(a)", {"a": "0:0::0/0"}, True),
    ("lower(a) == 'x'", {"a": {"deep": [U]}}, U),
    ("statements(a)", {"a": U}, U),
    ("grants_admin(a)", {"a": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": U}}}, U),
    ("grants_admin(a)", {"a": {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": U}}}, False),
    (
        "grants_admin(a)",
        {"a": {"Statement": {"Effect": "Allow", "Action": "*", "Resource": Reference("B", "Arn")}}},
        False,
    ),
    (
        "allows_public(a)",
        {"a": {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "x", "Resource": U}}},
        True,
    ),
]


@pytest.mark.parametrize(("expression", "document", "expected"), KLEENE)
def test_a_hole_decides_nothing_that_is_not_certain(expression: str, document: Any, expected: Any) -> None:
    said = truth(parse(expression, (TYPE,)).compiled({}).careful(document, C))
    if expected is U:
        assert said.__class__ is Unknown
    else:
        assert said is expected


def test_what_may_pass_a_filter_stays_a_maybe() -> None:
    compiled = parse("a[?b == 'x'].c", (TYPE,)).compiled({})
    (found,) = compiled.careful({"a": [{"b": U, "c": 1}]}, C)
    assert found == Maybe(1, U)


PUBLIC = [
    ("everybody", {"Effect": "Allow", "Principal": "*"}, True),
    ("everybody in a list", {"Effect": "Allow", "Principal": {"AWS": ["*"]}}, True),
    ("denied", {"Effect": "Deny", "Principal": "*"}, False),
    ("an account", {"Effect": "Allow", "Principal": {"AWS": "111111111111"}}, False),
    (
        "of one organization",
        {"Effect": "Allow", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        False,
    ),
    (
        "from one network",
        {"Effect": "Allow", "Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}},
        False,
    ),
    (
        "from the internet",
        {"Effect": "Allow", "Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}},
        True,
    ),
    (
        "by referer",
        {
            "Effect": "Allow",
            "Principal": "*",
            "Condition": {"StringLike": {"aws:Referer": "https://example.com/*"}},
        },
        True,
    ),
    (
        "but one network",
        {
            "Effect": "Allow",
            "Principal": "*",
            "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        },
        True,
    ),
    (
        "if it exists",
        {
            "Effect": "Allow",
            "Principal": "*",
            "Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}},
        },
        True,
    ),
]


@pytest.mark.parametrize(("name", "statement", "public"), PUBLIC, ids=[row[0] for row in PUBLIC])
def test_what_is_public(name: str, statement: dict[str, Any], public: bool) -> None:
    compiled = parse("allows_public(a)", (TYPE,)).compiled({})
    assert compiled.plain({"a": {"Statement": [statement]}}, C) is public
    assert compiled.careful({"a": {"Statement": [statement]}}, C) is public
