"""Texts that a service stores in another spelling: white space, DNS names, slashes, masked characters."""

from __future__ import annotations

import base64
import re

from driftguard.compare.equalities.place import Place
from driftguard.model import Json

_DNS_PROPERTY = re.compile(
    r"(Domain|DNS|Dns|Host|Zone|SubjectAlternative|Fqdn|FQDN|NameServer|Cname|CNAME|Aliases$|Endpoint|Target$)"
)
_DNS_VALUE = re.compile(r"[*\w]([\w-]*\.)+[\w-]*\.?", re.ASCII)
_DNS_SERVICES = ("AWS::Route53", "AWS::ServiceDiscovery::")
_PATH_PROPERTY = re.compile(
    r"(Prefix|Path|Ur[li]s?|UR[LI]s?|Endpoint|Directory|Subdirectory|Location|Issuer)$"
)
_MASK_MAXIMUM = 4
_SHORT_TEXT = 4


def white_space(declared: Json, live: Json, place: Place) -> bool:
    """White space at the end, and the two ways to end a line, change nothing."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    return _lines(declared) == _lines(live)


def _lines(text: str) -> str:
    if not text.strip():
        return text
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def dns_name(declared: Json, live: Json, place: Place) -> bool:
    """A DNS name has no case and may end in a dot (RFC 4343, RFC 1034)."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    is_record = place.name in ("Name", "ResourceRecords") and place.type_name.startswith(_DNS_SERVICES)
    if not (is_record or _DNS_PROPERTY.search(place.name)):
        return False
    one, other = declared.rstrip(".").lower(), live.rstrip(".").lower()
    if one == other and _DNS_VALUE.fullmatch(declared) and "." in one:
        return True
    # Route 53 escapes the asterisk in record names: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
    return is_record and one.replace("*", r"\052") == other.replace("*", r"\052")


def trailing_slash(declared: Json, live: Json, place: Place) -> bool:
    """Addresses, prefixes and paths with and without their last slash."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    if not ("://" in declared or _PATH_PROPERTY.search(place.name)):
        return False
    one, other = declared.rstrip("/"), live.rstrip("/")
    return bool(one) and one == other and abs(len(declared) - len(live)) == 1


def escaped_path(declared: Json, live: Json, place: Place) -> bool:
    """API Gateway writes the slashes of a method's path as ``~1``: ``/~1pets`` is ``/pets``.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html
    """
    if not (isinstance(declared, str) and isinstance(live, str)) or place.name != "ResourcePath":
        return False
    one, other = (re.sub("/+", "/", text.replace("~1", "/")) for text in (declared, live))
    return one == other


def left_out_scheme(declared: Json, live: Json, place: Place) -> bool:
    """An address with and without ``https://`` or ``s3://``, as IAM and CloudWatch Synthetics answer theirs.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html
    """
    if not (isinstance(declared, str) and isinstance(live, str)) or not place.in_schema:
        return False
    if ("://" in declared) == ("://" in live) or not _PATH_PROPERTY.search(place.name):
        return False
    one, other = (re.sub(r"^(https|s3)://", "", text).rstrip("/") for text in (declared, live))
    return bool(one) and one == other


def base64_text(declared: Json, live: Json, place: Place) -> bool:
    """A text and its Base64 form (RFC 4648)."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    plain, encoded = sorted((declared, live), key=len)
    if len(plain) < _SHORT_TEXT or len(encoded) != -(-len(plain.encode()) // 3) * 4:
        return False
    return base64.b64encode(plain.encode()).decode() == encoded


def masked_non_ascii(declared: Json, live: Json, place: Place) -> bool:
    """GetTemplate and DescribeStacks answer ``?`` for every character that is not ASCII."""
    if not (isinstance(declared, str) and isinstance(live, str)) or "?" not in declared or live.isascii():
        return False
    return shown_as(live, declared)


def shown_as(text: str, shown: str) -> bool:
    """Whether CloudFormation would show ``text``, which is not all ASCII, as ``shown``."""
    if text.isascii():
        return False
    # The mask may count a character once, or once for each of its UTF-16 or UTF-8 units.
    pattern = re.sub(
        r"[^\x00-\x7f]+",
        lambda found: f"\0{len(found.group())},{len(found.group()) * _MASK_MAXIMUM}\1",
        text,
    )
    pieces = re.split("\0(\\d+,\\d+)\1", pattern)
    expression = "".join(
        rf"\?{{{piece}}}" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
    )
    return re.fullmatch(expression, shown, re.DOTALL) is not None


def public_key(declared: Json, live: Json, place: Place) -> bool:
    """An SSH key is its type and its body, a PEM block its body: comment and line breaks are not part of it."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    if declared.lstrip().startswith("-----BEGIN") and live.lstrip().startswith("-----BEGIN"):
        return "".join(declared.split()) == "".join(live.split())
    one, other = declared.split(), live.split()
    known = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")
    return len(one) > 1 and len(other) > 1 and one[0].startswith(known) and one[:2] == other[:2]


def properties_text(declared: Json, live: Json, place: Place) -> bool:
    """A Java ``.properties`` text is a set of ``name=value`` lines."""
    if not (isinstance(declared, str) and isinstance(live, str)) or not place.listed("properties-text"):
        return False
    return _properties(declared) == _properties(live)


def _properties(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines()]
    pairs = [re.split(r"\s*[=:]\s*", line, maxsplit=1) for line in lines if line and line[0] not in "#!"]
    return {pair[0]: pair[-1] for pair in pairs}


def access_string(declared: Json, live: Json, place: Place) -> bool:
    """Redis and Valkey write the implied ``-@all`` and ``resetchannels`` into an access string."""
    if not (isinstance(declared, str) and isinstance(live, str)) or not place.listed("access-string"):
        return False
    implied = {"-@all", "resetchannels", "sanitize-payload", "allchannels"}
    spelled = {"~*": "allkeys", "+@all": "allcommands"}
    one, other = (
        [spelled.get(word, word) for word in text.split() if word not in implied] for text in (declared, live)
    )
    return one == other
