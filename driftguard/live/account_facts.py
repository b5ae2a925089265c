"""How each fact of ``driftguard/rules/data/account_facts.yaml`` is read, and put into its form.

Each function takes the place (account and region) and answers what the fact's file says; ``None`` says
that AWS answered and there is none.  All raise `AwsError`.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from driftguard.aws import Place
from driftguard.aws.detection import AccessAnalyzer, GuardDuty, Inspector, Macie, SecurityHub, Shield
from driftguard.aws.governance import Account, Identities, Organization, Recorders, TrailEvents
from driftguard.aws.safekeeping import Buckets
from driftguard.errors import AwsError
from driftguard.model import Json

_REPORT_ATTEMPTS, _REPORT_PAUSE_SECONDS = 15, 2.0
_NOTHING = frozenset({"", "N/A", "no_information", "not_supported"})


def shown(row: Mapping[str, Any], *names: str) -> dict[str, Json]:
    """The named members of an answer, instants as ISO 8601 text; what AWS leaves out is left out."""
    return {name: plain_value(row[name]) for name in names if row.get(name) is not None}


def plain_value(value: Any) -> Json:
    """A value of an answer as JSON, instants as ISO 8601 text."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    found: Json = value
    return found


# -- identities and the account ----------------------------------------------------------------------


def root_mfa_is_virtual(place: Place) -> Json:
    devices = place.gateway(Identities).virtual_mfa_devices()
    return any(str((one.get("User") or {}).get("Arn", "")).endswith(":root") for one in devices)


def credential_report(place: Place) -> Json:
    """IAM writes the report in seconds; one that takes longer than half a minute is an error."""
    for _ in range(_REPORT_ATTEMPTS):
        text = place.iam.credential_report()
        if text is not None:
            return [_credentials(row) for row in csv.DictReader(io.StringIO(text.decode()))]
        time.sleep(_REPORT_PAUSE_SECONDS)
    raise AwsError(
        "IAM has not written the credential report in time.",
        code="ReportInProgress",
        action="iam:GenerateCredentialReport",
        fix="Run the scan again; IAM keeps the report for four hours.",
    )


def _credentials(row: Mapping[str, str]) -> dict[str, Json]:
    kinds: dict[str, Json] = {"true": True, "TRUE": True, "false": False, "FALSE": False}
    return {name: None if text in _NOTHING else kinds.get(text, text) for name, text in row.items()}


def server_certificates(place: Place) -> Json:
    rows = place.gateway(Identities).server_certificates()
    return [shown(row, "ServerCertificateName", "Arn", "Expiration") for row in rows]


def security_contact(place: Place) -> Json:
    return place.gateway(Account).has_security_contact()


def organization(place: Place) -> Json:
    found = place.gateway(Organization).organization()
    return None if found is None else shown(found, "Id", "MasterAccountId", "FeatureSet")


def shield_subscription(place: Place) -> Json:
    found = place.gateway(Shield).subscription()
    return None if found is None else shown(found, "AutoRenew", "EndTime")


def shield_drt_role(place: Place) -> Json:
    return place.gateway(Shield).response_team_role()


def buckets_with_mfa_delete(place: Place) -> Json:
    gateway = place.gateway(Buckets)
    return [name for name in gateway.names() if gateway.mfa_delete(name)]


# -- recording and detection -------------------------------------------------------------------------


def trails(place: Place) -> Json:
    out: list[Json] = []
    for trail in place.cloudtrail.trails():
        arn = str(trail["TrailARN"])
        row = shown(
            trail,
            "Name",
            "IsMultiRegionTrail",
            "IncludeGlobalServiceEvents",
            "LogFileValidationEnabled",
            "IsOrganizationTrail",
            "KmsKeyId",
            "CloudWatchLogsLogGroupArn",
            "S3BucketName",
        )
        row["IsLogging"] = bool(place.cloudtrail.trail_status(arn).get("IsLogging"))
        row["ManagementEvents"] = _management_events(place.gateway(TrailEvents).selectors(arn))
        out.append(row)
    return out


def _management_events(answer: Mapping[str, Any]) -> str:
    """All, ReadOnly, WriteOnly or None, out of either kind of event selectors."""
    kinds = {
        str(one.get("ReadWriteType", "All"))
        for one in answer.get("EventSelectors") or ()
        if one.get("IncludeManagementEvents", True)
    }
    for one in answer.get("AdvancedEventSelectors") or ():
        fields = {field["Field"]: field for field in one.get("FieldSelectors", ())}
        if "Management" not in fields.get("eventCategory", {}).get("Equals", ()):
            continue
        only = fields.get("readOnly", {}).get("Equals")
        kinds.add("All" if not only else "ReadOnly" if "true" in only else "WriteOnly")
    if "All" in kinds or {"ReadOnly", "WriteOnly"} <= kinds:
        return "All"
    return next(iter(kinds), "None")


def config_recorders(place: Place) -> Json:
    gateway = place.gateway(Recorders)
    statuses = gateway.statuses()
    return [
        {
            **shown(row, "name"),
            **shown(row.get("recordingGroup") or {}, "allSupported", "includeGlobalResourceTypes"),
            **shown(statuses.get(row["name"], {}), "recording", "lastStatus"),
        }
        for row in gateway.recorders()
    ]


def guardduty(place: Place) -> Json:
    gateway = place.gateway(GuardDuty)
    detector = gateway.detector()
    if detector is None:
        return None
    found = gateway.describe(detector)
    findings = [shown(one, "Id", "Severity", "CreatedAt") for one in gateway.findings(detector)]
    features = [
        {
            **shown(one, "Name", "Status"),
            "AdditionalConfiguration": [
                shown(more, "Name", "Status") for more in one.get("AdditionalConfiguration") or ()
            ],
        }
        for one in found.get("Features") or ()
    ]
    row: dict[str, Json] = {**shown(found, "Status"), "Features": features, "Findings": findings}
    administrator = gateway.administrator(detector)
    return {**row, "AdministratorId": administrator} if administrator else row


def security_hub(place: Place) -> Json:
    gateway = place.gateway(SecurityHub)
    hub = gateway.hub()
    if hub is None:
        return None
    standards = [str(one["StandardsArn"]) for one in gateway.standards()]
    return {**shown(hub, "HubArn", "AutoEnableControls"), "StandardsArns": standards}


def macie(place: Place) -> Json:
    status = place.gateway(Macie).status()
    return None if status is None else {"status": status}


def macie_discovery(place: Place) -> Json:
    return place.gateway(Macie).discovery()


def inspector(place: Place) -> Json:
    return dict(place.gateway(Inspector).states())


def access_analyzers(place: Place) -> Json:
    return [shown(one, "name", "type", "status") for one in place.gateway(AccessAnalyzer).analyzers()]
