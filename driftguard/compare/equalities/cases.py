"""Words whose case means nothing: enumerations, stored-lowercase identifiers, header names."""

from __future__ import annotations

import re

from driftguard.compare.equalities.place import Place
from driftguard.model import Json

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*( [A-Za-z0-9_-]+)?")
_ENUM_PROPERTY = re.compile(
    r"(Type|Types|Mode|Status|State|Protocol|Protocols|Engine|Scheme|Level|Format|Compression|Unit|Action"
    r"|Algorithm|Behavior|Strategy|Storage|Operator|Direction|Visibility|Method|Methods|Class|Frequency|Family"
    r"|DayOfWeek|Day|Platform|Tier|License|LicenseModel)$"
)
_TEXT_PROPERTY = re.compile(
    r"(Name|Names|Id|Ids|Identifier|Key|Keys|Value|Values|Description|Comment|Prefix|Suffix|Path|Text|String"
    r"|Password|Token|Label|Title|Pattern|Expression|Filter|Body|Content|Document|Ur[il]s?|UR[IL]|Arns?|ARN"
    r"|Handler|Alias|Tag|Tags|Data|Message|Subject|Username|UserName|Secret|Query|Statement|Sid|Parameters)$"
)
_HEADER_PROPERTY = re.compile(r"(Header|Headers|HeaderName|HeaderNames|SingleQueryArgument)$")


def enum_case(declared: Json, live: Json, place: Place) -> bool:
    """An enumeration in another case, or with other signs between its words.

    Not if the schema lists both spellings as values of their own.
    """
    if not (isinstance(declared, str) and isinstance(live, str)) or _bare(declared) != _bare(live):
        return False
    node = place.node
    if node is None or not place.in_schema:
        return False
    if node.is_enum or node.enum_case_insensitive:
        return not (declared in node.enum and live in node.enum) or node.enum_case_insensitive
    if not (_WORD.fullmatch(declared) and _WORD.fullmatch(live)):
        return False
    if _ENUM_PROPERTY.search(place.name):
        return True
    # One word of a fixed vocabulary that the service answers in capitals, or in small letters.
    return live in (live.upper(), live.lower()) and not _TEXT_PROPERTY.search(place.name)


def identifier_case(declared: Json, live: Json, place: Place) -> bool:
    """Database services store identifiers in lower case, and so what refers to them."""
    return _same_but_case(declared, live) and live == live.lower() and place.listed("identifier-case")


def fixed_name_case(declared: Json, live: Json, place: Place) -> bool:
    """A name that cannot change after creation: AWS stored it in another case, nobody changed it."""
    if not _same_but_case(declared, live) or place.schema is None or not place.in_schema:
        return False
    fixed = place.schema.is_create_only(place.general) or place.general in place.schema.primary_identifier
    return fixed and live in (live.lower(), live.upper())


def upper_case_name(declared: Json, live: Json, place: Place) -> bool:
    """Oracle stores the database name in upper case."""
    return _same_but_case(declared, live) and live == live.upper() and place.listed("upper-case-name")


def word_case(declared: Json, live: Json, place: Place) -> bool:
    """Words that a service reads in any case and answers in its own: ``prefix`` in a bucket's filter rules."""
    return _same_but_case(declared, live) and place.listed("word-case")


def header_case(declared: Json, live: Json, place: Place) -> bool:
    """HTTP header names have no case (RFC 9110, section 5.1)."""
    if not _same_but_case(declared, live):
        return False
    parents = [part for part in place.path if isinstance(part, str)]
    is_named = place.name in ("Name", "name") and len(parents) > 1 and _HEADER_PROPERTY.search(parents[-2])
    return bool(_HEADER_PROPERTY.search(place.name) or is_named)


def _bare(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()


def _same_but_case(declared: Json, live: Json) -> bool:
    return isinstance(declared, str) and isinstance(live, str) and declared.lower() == live.lower()
