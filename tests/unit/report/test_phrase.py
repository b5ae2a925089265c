"""Values in one line: short, complete, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest

from driftguard.model.phrase import phrase

RULE = {"CidrIp": "0.0.0.0/0", "Description": "debugging", "FromPort": 22, "ToPort": 22, "IpProtocol": "tcp"}
ANY = {"Statement": [{"Action": "*", "Effect": "Allow", "Resource": "*"}], "Version": "2012-10-17"}
READ = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Principal": {"AWS": "111111111111"}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (RULE, "tcp 22 from 0.0.0.0/0 (debugging)"),
        ({"IpProtocol": "-1", "DestinationSecurityGroupId": "sg-1"}, "all traffic to sg-1"),
        ({"IpProtocol": "udp", "FromPort": 1, "ToPort": 9, "CidrIpv6": "::/0"}, "udp 1-9 from ::/0"),
        ({"PolicyName": "temporary", "PolicyDocument": ANY}, "temporary: Allow * on *"),
        ({"Statement": READ}, "Allow s3:Get*, s3:List* to AWS 111111111111"),
        ([{"Key": "team", "Value": "shop"}, {"Key": "a", "Value": ""}], 'team=shop, a=""'),
        ({"BlockPublicAcls": True, "Days": 3}, "BlockPublicAcls: true, Days: 3"),
        ([RULE, RULE], "tcp 22 from 0.0.0.0/0 (debugging), tcp 22 from 0.0.0.0/0 (debugging)"),
        ([[1, 2], 3], "[1, 2], 3"),
        ({"$redacted": "ab12"}, "•••••• (ab12)"),
        ({"Variables": {"TOKEN": {"$redacted": "ab12"}}}, '{"Variables":{"TOKEN":{"$redacted":"ab12"}}}'),
        ("two\n lines", "two lines"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        ("", '""'),
    ],
)
def test_a_value_is_said_as_an_engineer_says_it(value: Any, said: str) -> None:
    assert phrase(value) == said


@pytest.mark.parametrize(
    "value",
    [
        RULE | {"Unknown": "x"},
        {"Statement": [READ | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]},
        {"Statement": [{"Effect": "Deny", "NotAction": "*", "Resource": "a"}]},
    ],
)
def test_nothing_is_left_out(value: Any) -> None:
    def leaves(one: Any) -> list[str]:
        if isinstance(one, dict):
            return [leaf for part in one.values() for leaf in leaves(part)]
        return [leaf for part in one for leaf in leaves(part)] if isinstance(one, list) else [str(one)]

    assert all(leaf in phrase(value) for leaf in leaves(value))
