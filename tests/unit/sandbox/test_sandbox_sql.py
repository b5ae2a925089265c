"""The SQL subset of advanced queries: cases after the AWS Config developer guide's examples and limitations."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.sandbox.config.sql_parse import SqlError, parse
from driftguard.sandbox.config.sql_run import run

ROWS: list[dict[str, Any]] = [
    {
        "resourceId": "i-1",
        "resourceType": "AWS::EC2::Instance",
        "accountId": "111111111111",
        "configuration": {"instanceType": "t3.large", "cpu": 2, "ebsOptimized": True},
        "tags": [{"key": "env", "value": "prod", "tag": "env=prod"}],
    },
    {
        "resourceId": "i-2",
        "resourceType": "AWS::EC2::Instance",
        "accountId": "222222222222",
        "configuration": {"instanceType": "t3.small", "cpu": 10, "ebsOptimized": False},
        "tags": [],
    },
    {
        "resourceId": "sg-1",
        "resourceType": "AWS::EC2::SecurityGroup",
        "accountId": "111111111111",
        "configuration": {
            "ipPermissions": [
                {"fromPort": 22, "ipRanges": ["10.1.2.3/32"]},
                {"fromPort": 443, "ipRanges": ["0.0.0.0/0"]},
            ]
        },
        "tags": [],
    },
]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("resourceType = 'AWS::EC2::Instance'", ["i-1", "i-2"]),
        ("resourceType != 'AWS::EC2::Instance'", ["sg-1"]),
        ("configuration.cpu > 9", ["i-2"]),
        ("configuration.cpu BETWEEN 1 AND 2", ["i-1"]),
        ("configuration.ebsOptimized = false", ["i-2"]),
        ("configuration.instanceType LIKE 't3.l%'", ["i-1"]),
        ("configuration.instanceType NOT LIKE 't3.l%'", ["i-2", "sg-1"]),
        ("resourceId IN ('i-2', 'sg-1')", ["i-2", "sg-1"]),
        ("NOT resourceId IN ('i-2', 'sg-1')", ["i-1"]),
        ("tags.key = 'env' AND tags.value = 'prod'", ["i-1"]),
        ("tags.tag = 'env=prod'", ["i-1"]),
        ("configuration.cpu = 2 OR (configuration.cpu = 10 AND accountId = '111111111111')", ["i-1"]),
        # Each condition is met by any element of the array, not both by the same one.
        (
            "configuration.ipPermissions.fromPort = 22 AND configuration.ipPermissions.ipRanges = '0.0.0.0/0'",
            ["sg-1"],
        ),
        ("configuration.ipPermissions.ipRanges = '10.1.0.0/16'", ["sg-1"]),
        ("configuration.nothing = 'x'", []),
        ("resourceId = 'it''s'", []),
    ],
)
def test_where(where: str, ids: list[str]) -> None:
    found = run(parse(f"SELECT resourceId WHERE {where}"), ROWS)
    assert [row["resourceId"] for row in found] == ids


def test_star_gives_the_top_level_scalars_only() -> None:
    (found,) = run(parse("SELECT * WHERE resourceId = 'i-1'"), ROWS)
    assert found == {
        "resourceId": "i-1",
        "resourceType": "AWS::EC2::Instance",
        "accountId": "111111111111",
    }


def test_projection_keeps_the_nesting() -> None:
    query = "SELECT configuration.ipPermissions.fromPort, configuration.ipPermissions.ipRanges WHERE resourceId = 'sg-1'"
    (found,) = run(parse(query), ROWS)
    assert found == {"configuration": ROWS[2]["configuration"]}


def test_aggregates() -> None:
    query = (
        "SELECT resourceType, COUNT(*), MAX(configuration.cpu), AVG(configuration.cpu) "
        "GROUP BY resourceType ORDER BY COUNT(*) DESC"
    )
    assert run(parse(query), ROWS) == [
        {
            "resourceType": "AWS::EC2::Instance",
            "COUNT(*)": 2,
            "MAX(configuration.cpu)": 10.0,
            "AVG(configuration.cpu)": 6.0,
        },
        {
            "resourceType": "AWS::EC2::SecurityGroup",
            "COUNT(*)": 1,
            "MAX(configuration.cpu)": None,
            "AVG(configuration.cpu)": None,
        },
    ]


def test_order_is_by_number_where_values_are_numbers() -> None:
    found = run(parse("SELECT resourceId WHERE configuration.cpu > 0 ORDER BY configuration.cpu DESC"), ROWS)
    assert [row["resourceId"] for row in found] == ["i-2", "i-1"]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "UPDATE x",
        "SELECT",
        "SELECT a FROM b",
        "SELECT DISTINCT a",
        "SELECT a AS b",
        "SELECT a WHERE",
        "SELECT a WHERE b IS NULL",
        "SELECT a WHERE b = NULL",
        "SELECT a WHERE b LIKE '%end'",
        "SELECT a WHERE b LIKE 'ab%'",
        "SELECT a WHERE b ~ 'x'",
        "SELECT a, COUNT(*)",
        "SELECT a, b, c, d, COUNT(*) GROUP BY a, b, c, d",
        "SELECT COUNT(*) GROUP BY a HAVING COUNT(*) > 1",
        "SELECT a WHERE b = 'x' trailing",
        "SELECT " + "a" * 4096,
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    with pytest.raises(SqlError):
        parse(expression)
