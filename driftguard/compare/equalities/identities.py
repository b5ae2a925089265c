"""One thing under two names: ARN, name, id, alias."""

from __future__ import annotations

import re

from driftguard.compare.equalities.place import Place, Unverifiable
from driftguard.model import Json

_ARN = re.compile(r"arn:(aws[a-z-]*):([^:]*):([^:]*):([^:]*):(.+)", re.DOTALL)
_KEY_ID = re.compile(r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_SERVICE_ROLE = r"arn:aws[a-z-]*:iam::\d{12}:role/aws-service-role/.+"
_ZONE = re.compile(r"/?(hostedzone|delegationset|healthcheck)/")


def arn_name(declared: Json, live: Json, place: Place) -> bool:
    """A name, and the ARN of this account and region that ends in it (Lambda: name with its qualifier)."""
    if not (isinstance(declared, str) and isinstance(live, str)) or not declared or not live:
        return False
    for name, arn in ((declared, live), (live, declared)):
        found = _ARN.fullmatch(arn)
        if found is None or name.startswith("arn:"):
            continue
        _, service, region, account, rest = found.groups()
        if region and place.context.region and region != place.context.region:
            return False
        if account.isdigit() and place.context.account_id and account != place.context.account_id:
            return False
        return name in _names(service, account, rest)
    return False


def _names(service: str, account: str, rest: str) -> set[str]:
    names = {rest, re.split(r"[:/]", rest, maxsplit=1)[-1], rest.rsplit("/", 1)[-1]}
    if ":" not in rest or service not in ("lambda", "ecs"):
        # For Lambda and ECS the last colon parts a qualifier off, which is not the name.
        names.add(re.split(r"[:/]", rest)[-1])
    if service == "ssm":
        names.add("/" + rest.partition("/")[2])
    if service == "lambda":
        names.add(f"{account}:{rest}")
    return names


def log_group_arn(declared: Json, live: Json, place: Place) -> bool:
    """The ARN of a log group with and without its last ``:*``."""
    if not (isinstance(declared, str) and isinstance(live, str)) or ":log-group:" not in declared:
        return False
    return declared.removesuffix(":*") == live.removesuffix(":*")


def secret_arn(declared: Json, live: Json, place: Place) -> bool:
    """A secret by name, or by its ARN with or without the six characters that Secrets Manager appends."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    short, long = sorted((declared, live), key=len)
    found = re.fullmatch(r"(arn:aws[a-z-]*:secretsmanager:[^:]*:\d*:secret:.+)-[A-Za-z0-9]{6}", long)
    if found is None:
        return False
    return found.group(1) == short or ("Secret" in place.name and arn_name(short, found.group(1), place))


def latest_qualifier(declared: Json, live: Json, place: Place) -> bool:
    """A Lambda function's ARN with and without ``:$LATEST``."""
    if not (isinstance(declared, str) and isinstance(live, str)) or ":function:" not in declared:
        return False
    return declared.removesuffix(":$LATEST") == live.removesuffix(":$LATEST")


def opaque_arn(declared: Json, live: Json, place: Place) -> bool | Unverifiable:
    """A name where AWS answers an ARN that holds an id instead: nobody can tell from the two alone."""
    if not (isinstance(declared, str) and isinstance(live, str)) or declared.startswith("arn:"):
        return False
    if not place.listed("opaque-arn") or _ARN.fullmatch(live) is None:
        return False
    return Unverifiable("AWS answers the ARN, which does not hold the name")


def service_role(declared: Json, live: Json, place: Place) -> bool:
    """Some services work under their service-linked role whatever role they are given.

    https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
    """
    if not (isinstance(declared, str) and isinstance(live, str)) or not place.listed("service-role"):
        return False
    return ":role/" in declared and re.fullmatch(_SERVICE_ROLE, live) is not None


def account_root(declared: Json, live: Json, place: Place) -> bool:
    """An account id, and the ARN of that account's root, where a principal is named."""
    if not (isinstance(declared, str) and isinstance(live, str)) or "rincipal" not in place.name:
        return False
    root = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")
    return root.sub(r"\1", declared) == root.sub(r"\1", live)


def zone_prefix(declared: Json, live: Json, place: Place) -> bool:
    """Route 53 ids with and without ``/hostedzone/``."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    return _ZONE.sub("", declared, count=1) == _ZONE.sub("", live, count=1)


def kms_key(declared: Json, live: Json, place: Place) -> bool | Unverifiable:
    """A key by alias, alias ARN, id or ARN.  An alias is looked up; one nobody can look up is unverifiable."""
    if not (isinstance(declared, str) and isinstance(live, str)):
        return False
    aliases = (_alias(declared), _alias(live))
    if aliases == (None, None):
        return _same_key(declared, live, place)
    one, other = (_resolved(text, place) for text in (declared, live))
    if one is not None and other is not None:
        return _same_key(one, other, place) or (aliases[0] is not None and aliases[0] == aliases[1])
    # One alias is not known here.  If the other side is a key at all, they may be the same key.
    other_text = live if aliases[0] is not None else declared
    if aliases[0] is not None and aliases[1] is not None:
        return aliases[0] == aliases[1]
    if _key_id(other_text) is not None:
        return Unverifiable(f"the alias {aliases[0] or aliases[1]} cannot be looked up")
    return False


def _alias(text: str) -> str | None:
    name = text.rsplit(":", 1)[-1] if text.startswith("arn:") and ":kms:" in text else text
    return name if name.startswith("alias/") else None


def _resolved(text: str, place: Place) -> str | None:
    alias = _alias(text)
    return text if alias is None else place.context.kms_aliases.get(alias)


def _key_id(text: str) -> str | None:
    name = text.rsplit("/", 1)[-1] if ":kms:" in text else text.removeprefix("key/")
    return name if _KEY_ID.fullmatch(name) else None


def _same_key(one: str, other: str, place: Place) -> bool:
    if one == other:
        return True
    if _key_id(one) is None or _key_id(one) != _key_id(other):
        return False
    found = [match for match in (_ARN.fullmatch(one), _ARN.fullmatch(other)) if match]
    if len(found) == 2:
        return found[0].groups() == found[1].groups()
    context = place.context
    return all(
        (not context.region or match.group(3) == context.region)
        and (not context.account_id or match.group(4) == context.account_id)
        for match in found
    )
