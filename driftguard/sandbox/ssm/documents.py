"""Documents: customers' own, kept with their versions, and those that AWS owns, from the files in `owned/`."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.resources
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.ssm.runbook import load, parse

BAD_TOKEN = ("InvalidNextToken", "The specified token isn't valid.")
OWNED_SINCE = dt.datetime(2021, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True, kw_only=True)
class Version:
    """One version of a document."""

    number: str
    content: str
    format: str
    created: dt.datetime
    name: str = ""


@dataclass(slots=True, kw_only=True)
class Document:
    """A document with all its versions."""

    name: str
    owner: str
    kind: str
    versions: dict[str, Version]
    default: str = "1"
    target_type: str = ""
    shared_with: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> str:
        """The highest version number."""
        return max(self.versions, key=int)

    def version(self, wanted: str | None, version_name: str | None = None) -> Version:
        """The version asked for ($DEFAULT, $LATEST, a number or a name); raises InvalidDocumentVersion."""
        if version_name:
            for found in self.versions.values():
                if found.name == version_name:
                    return found
        number = {None: self.default, "": self.default, "$DEFAULT": self.default, "$LATEST": self.latest}.get(
            wanted, wanted
        )
        if version_name or number not in self.versions:
            raise ApiError("InvalidDocumentVersion", "The document version is not valid or does not exist.")
        return self.versions[number]


def _kept(context: Context) -> dict[str, Document]:
    return context.store("ssm.documents")


@cache
def owned_texts() -> dict[str, str]:
    """The text of every document that AWS owns here, by name."""
    out: dict[str, str] = {}
    for entry in importlib.resources.files("driftguard.sandbox.ssm").joinpath("owned").iterdir():
        if entry.name.endswith(".yaml"):
            for data in yaml.safe_load_all(entry.read_text("utf-8")):
                name = data.pop("name")
                out[name] = yaml.safe_dump(_expanded(data), sort_keys=False)
    return out


def _expanded(data: dict[str, Any]) -> dict[str, Any]:
    """A document with its AutomationAssumeRole: what every runbook that AWS owns has."""
    role: dict[str, Any] = {
        "type": "String",
        "description": "The ARN of the role that allows Automation to act on your behalf.",
        "allowedPattern": r"^arn:(?:aws|aws-us-gov|aws-cn):iam::\d{12}:role/.+$",
    }
    if data.pop("role") == "optional":
        role |= {"default": "", "allowedPattern": role["allowedPattern"] + "|^$"}
    return {
        "schemaVersion": "0.3",
        "description": data["description"],
        "assumeRole": "{{ AutomationAssumeRole }}",
        **data,
        "parameters": {"AutomationAssumeRole": role, **data["parameters"]},
    }


@cache
def _owned(name: str) -> Document | None:
    text = owned_texts().get(name)
    if text is None:
        return None
    version = Version(number="1", content=text, format="YAML", created=OWNED_SINCE)
    return Document(name=name, owner="Amazon", kind="Automation", versions={"1": version})


def find(context: Context, name: str) -> Document:
    """A document by name or ARN, one of another account if it is shared; raises InvalidDocument."""
    where, short = context, name
    if name.startswith("arn:"):
        parts = name.split(":")
        short = parts[5].partition("/")[2]
        if parts[4] and parts[4] != context.account:
            where = context.at(account=parts[4], region=parts[3])
    found = _kept(where).get(short) or _owned(short)
    if found and where is not context and found.owner != "Amazon":
        allowed = {"all", "All", context.account} & set(found.shared_with)
        found = found if allowed else None
    if not found:
        raise ApiError("InvalidDocument", f"Document with name {short} does not exist.")
    return found


def _mine(context: Context, name: str) -> Document:
    found = _kept(context).get(name.rsplit("/", 1)[-1])
    if not found:
        find(context, name)
        raise ApiError("InvalidDocumentOperation", "You can't change a document that AWS owns.")
    return found


def _check(content: str, kind: str, format: str) -> None:
    if len(content.encode()) > 65536:
        raise ApiError("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
    if kind == "ChangeCalendar":
        if "BEGIN:VCALENDAR" not in content:
            raise ApiError(
                "InvalidDocumentContent", "The content of the calendar is not valid iCalendar text."
            )
    elif kind == "Automation":
        parse(content)
    else:
        load(content)


@operation("ssm", "CreateDocument")
def create_document(context: Context, request: Request) -> Response:
    """Create a document; its text is checked."""
    name, kind = request["Name"], request.get("DocumentType") or "Command"
    format = request.get("DocumentFormat") or "JSON"
    if name.lower().startswith(("aws-", "amazon", "amzn")):
        raise ApiError("ValidationException", f"The name {name} begins with a prefix that AWS reserves.")
    if name in _kept(context):
        raise ApiError("DocumentAlreadyExists", "The specified document already exists.")
    _check(request["Content"], kind, format)
    version = Version(
        number="1",
        content=request["Content"],
        format=format,
        created=context.clock.now(),
        name=request.get("VersionName") or "",
    )
    document = Document(
        name=name,
        owner=context.account,
        kind=kind,
        versions={"1": version},
        target_type=request.get("TargetType") or "",
        tags={tag["Key"]: tag["Value"] for tag in request.get("Tags") or []},
    )
    _kept(context)[name] = document
    return {"DocumentDescription": _description(document, version)}


def _description(document: Document, version: Version) -> dict[str, Any]:
    data: Any = {} if document.kind == "ChangeCalendar" else load(version.content)
    parameters = [
        {
            "Name": name,
            "Type": "StringList" if "List" in str(spec.get("type")) else "String",
            "Description": str(spec.get("description") or ""),
            **({"DefaultValue": _default(spec["default"])} if "default" in spec else {}),
        }
        for name, spec in (data.get("parameters") or {}).items()
    ]
    out: dict[str, Any] = {
        **_identity(document, version),
        "Hash": hashlib.sha256(version.content.encode()).hexdigest(),
        "HashType": "Sha256",
        "Status": "Active",
        "Description": str(data.get("description") or ""),
        "Parameters": parameters,
        "LatestVersion": document.latest,
        "DefaultVersion": document.default,
    }
    return out


def _default(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _identity(document: Document, version: Version) -> dict[str, Any]:
    out: dict[str, Any] = {
        "Name": document.name,
        "CreatedDate": version.created,
        "Owner": document.owner,
        "PlatformTypes": ["Windows", "Linux", "MacOS"],
        "DocumentVersion": version.number,
        "DocumentType": document.kind,
        "DocumentFormat": version.format,
        "Tags": [{"Key": key, "Value": value} for key, value in document.tags.items()],
    }
    if document.kind != "ChangeCalendar":
        out["SchemaVersion"] = str(load(version.content).get("schemaVersion", ""))
    if version.name:
        out["VersionName"] = version.name
    if document.target_type:
        out["TargetType"] = document.target_type
    return out


@operation("ssm", "GetDocument")
def get_document(context: Context, request: Request) -> Response:
    """The text of a document, as JSON or YAML if asked."""
    document = find(context, request["Name"])
    version = document.version(request.get("DocumentVersion"), request.get("VersionName"))
    content, format = version.content, request.get("DocumentFormat") or version.format
    if format != version.format and document.kind != "ChangeCalendar":
        data = load(content)
        content = json.dumps(data, indent=2) if format == "JSON" else yaml.safe_dump(data, sort_keys=False)
    out: dict[str, Any] = {
        "Name": document.name,
        "CreatedDate": version.created,
        "DocumentVersion": version.number,
        "Status": "Active",
        "Content": content,
        "DocumentType": document.kind,
        "DocumentFormat": format,
    }
    if version.name:
        out["VersionName"] = version.name
    return out


@operation("ssm", "DescribeDocument")
def describe_document(context: Context, request: Request) -> Response:
    """What a document is."""
    document = find(context, request["Name"])
    version = document.version(request.get("DocumentVersion"), request.get("VersionName"))
    return {"Document": _description(document, version)}


@operation("ssm", "ListDocuments")
def list_documents(context: Context, request: Request) -> Response:
    """Documents of this account and of AWS, filtered."""
    owned = [found for name in sorted(owned_texts()) if (found := _owned(name))]
    everything = [*sorted(_kept(context).values(), key=lambda found: found.name), *owned]
    filters = {entry["Key"]: entry["Values"] for entry in request.get("Filters") or []}
    filters |= {entry["key"]: [entry["value"]] for entry in request.get("DocumentFilterList") or []}
    rows = [
        _identity(document, document.version(None))
        for document in everything
        if all(_chosen(document, key, values) for key, values in filters.items())
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=10, invalid=BAD_TOKEN)
    return {"DocumentIdentifiers": page, **more}


def _chosen(document: Document, key: str, values: list[str]) -> bool:
    if key == "Owner":
        mine = document.owner != "Amazon"
        wanted = set(values)
        return (
            "All" in wanted
            or ("Self" in wanted and mine)
            or ("Private" in wanted and mine)
            or (bool({"Amazon", "Public"} & wanted) and not mine)
        )
    if key == "Name":
        return any(document.name.startswith(value) for value in values)
    if key == "DocumentType":
        return document.kind in values
    if key.startswith("tag:"):
        return document.tags.get(key.removeprefix("tag:")) in values
    return key in {"PlatformTypes", "TargetType", "SearchKeyword"} or document.kind in values


@operation("ssm", "ListDocumentVersions")
def list_versions(context: Context, request: Request) -> Response:
    """All versions, the newest first."""
    document = find(context, request["Name"])
    rows = [
        {
            "Name": document.name,
            "DocumentVersion": version.number,
            "CreatedDate": version.created,
            "IsDefaultVersion": version.number == document.default,
            "DocumentFormat": version.format,
            "Status": "Active",
            **({"VersionName": version.name} if version.name else {}),
        }
        for version in sorted(document.versions.values(), key=lambda found: -int(found.number))
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=50, invalid=BAD_TOKEN)
    return {"DocumentVersions": page, **more}


@operation("ssm", "UpdateDocument")
def update_document(context: Context, request: Request) -> Response:
    """A new version; the default stays."""
    document = _mine(context, request["Name"])
    latest = document.versions[document.latest]
    if request.get("DocumentVersion") not in (None, "$LATEST", latest.number):
        raise ApiError("InvalidDocumentVersion", "The document version is not valid or does not exist.")
    format = request.get("DocumentFormat") or latest.format
    _check(request["Content"], document.kind, format)
    if request["Content"] == latest.content:
        raise ApiError(
            "DuplicateDocumentContent",
            "The content of the association document matches another document. Change the content of the "
            "document and try again.",
        )
    number = str(int(latest.number) + 1)
    version = Version(
        number=number,
        content=request["Content"],
        format=format,
        created=context.clock.now(),
        name=request.get("VersionName") or "",
    )
    document.versions[number] = version
    return {"DocumentDescription": _description(document, version)}


@operation("ssm", "UpdateDocumentDefaultVersion")
def update_default(context: Context, request: Request) -> Response:
    """Make another version the default."""
    document = _mine(context, request["Name"])
    version = document.version(request["DocumentVersion"])
    document.default = version.number
    return {"Description": {"Name": document.name, "DefaultVersion": version.number}}


@operation("ssm", "DeleteDocument")
def delete_document(context: Context, request: Request) -> Response:
    """Remove a document or one version of it."""
    document = _mine(context, request["Name"])
    if document.shared_with:
        raise ApiError("InvalidDocumentOperation", "Must unshare document first before delete")
    number = request.get("DocumentVersion")
    if number and len(document.versions) > 1:
        found = document.version(number)
        if found.number == document.default:
            raise ApiError("InvalidDocumentOperation", "Default version of the document can't be deleted.")
        del document.versions[found.number]
    else:
        del _kept(context)[document.name]
    return {}


@operation("ssm", "DescribeDocumentPermission")
def describe_permission(context: Context, request: Request) -> Response:
    """With whom a document is shared."""
    document = find(context, request["Name"])
    return {
        "AccountIds": list(document.shared_with),
        "AccountSharingInfoList": [
            {"AccountId": account, "SharedDocumentVersion": "$DEFAULT"} for account in document.shared_with
        ],
    }


@operation("ssm", "ModifyDocumentPermission")
def modify_permission(context: Context, request: Request) -> Response:
    """Share a document, or no longer."""
    document = _mine(context, request["Name"])
    removed = set(request.get("AccountIdsToRemove") or [])
    added = [
        account for account in request.get("AccountIdsToAdd") or [] if account not in document.shared_with
    ]
    document.shared_with = [account for account in document.shared_with if account not in removed] + added
    return {}
