"""The intrinsic functions that need nothing but their evaluated arguments.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from itertools import islice

from driftguard.declared.text import NO_VALUE, as_text, first_hole, join, to_json_string
from driftguard.model import Json, Partial, Unknown


def unknown_of(value: Json, otherwise: str) -> Unknown:
    """An `Unknown` for the first hole in ``value``, or with ``otherwise`` for a reason."""
    hole = first_hole(value)
    return Unknown(hole.reason if hole is not None else otherwise)


def fn_join(value: Json) -> Json:
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)):
        return unknown_of(value, "Fn::Join takes a delimiter and a list")
    items = value[1]
    if isinstance(items, Unknown):
        return items
    if isinstance(items, Partial):
        return Unknown(items.reason)
    if not isinstance(items, list):
        return Unknown("Fn::Join takes a delimiter and a list")
    return join(value[0], [as_text(item) for item in items if item is not NO_VALUE])


def fn_split(value: Json) -> Json:
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0]):
        return unknown_of(value, "Fn::Split takes a delimiter and a string")
    text = as_text(value[1])
    return text.split(value[0]) if isinstance(text, str) else Unknown(text.reason)


def fn_select(value: Json) -> Json:
    if not (isinstance(value, list) and len(value) == 2):
        return unknown_of(value, "Fn::Select takes an index and a list")
    index, items = value
    if isinstance(items, (Unknown, Partial)) or isinstance(index, (Unknown, Partial)):
        return unknown_of(value, "")
    number = as_text(index)
    if not (isinstance(number, str) and number.isdecimal() and isinstance(items, list)):
        return Unknown("Fn::Select takes an index and a list")
    if int(number) >= len(items):
        return Unknown(f"Fn::Select asks for item {number} of {len(items)}")
    return items[int(number)]


def fn_base64(value: Json) -> Json:
    text = as_text(value)
    if isinstance(text, str):
        return base64.b64encode(text.encode()).decode()
    return Unknown(text.reason)


def fn_cidr(value: Json) -> Json:
    """``count`` consecutive blocks of ``bits`` host bits out of a block."""
    if not (isinstance(value, list) and len(value) in (2, 3)):
        return unknown_of(value, "Fn::Cidr takes a block, a count and the host bits")
    if first_hole(value) is not None:
        return unknown_of(value, "")
    try:
        network = ipaddress.ip_network(str(value[0]), strict=False)
        count = int(value[1])
        bits = int(value[2]) if len(value) == 3 else None
    except (ValueError, TypeError):
        return Unknown("Fn::Cidr takes a block, a count and the host bits")
    if bits is None:
        return Unknown("Fn::Cidr without host bits is not decided here")
    prefix = network.max_prefixlen - bits
    if not (1 <= count <= 256 and network.prefixlen <= prefix <= network.max_prefixlen):
        return Unknown(f"{network} cannot give {count} blocks of {bits} host bits")
    blocks = [str(block) for block in islice(network.subnets(new_prefix=prefix), count)]
    return blocks if len(blocks) == count else Unknown(f"{network} holds only {len(blocks)} such blocks")


def fn_length(value: Json) -> Json:
    if isinstance(value, list):
        return len(value)
    return unknown_of(value, "Fn::Length takes a list")


def fn_to_json_string(value: Json) -> Json:
    return (
        to_json_string(value)
        if isinstance(value, (Mapping, list))
        else unknown_of(value, "not a map or list")
    )


PURE: Mapping[str, Callable[[Json], Json]] = {
    "Fn::Join": fn_join,
    "Fn::Split": fn_split,
    "Fn::Select": fn_select,
    "Fn::Base64": fn_base64,
    "Fn::Cidr": fn_cidr,
}
EXTENSIONS: Mapping[str, Callable[[Json], Json]] = {
    "Fn::Length": fn_length,
    "Fn::ToJsonString": fn_to_json_string,
}
"""Only in a template with the AWS::LanguageExtensions transform."""
