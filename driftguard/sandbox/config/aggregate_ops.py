"""Aggregators: the items and verdicts of several accounts and regions from one place.

An account aggregator sees an account only where that account (or itself) allows it: PutAggregationAuthorization for
accounts outside an organization, as in AWS. Accounts of an organization aggregator need none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from driftguard.sandbox.config.items import DELETED, base, full, row
from driftguard.sandbox.config.query_ops import BAD_TOKEN, answer_query, check_type
from driftguard.sandbox.config.recorder import present, visible
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate


def aggregators(context: Context) -> dict[str, dict[str, Any]]:
    """The aggregators of this account and region by name."""
    return context.store("config.aggregators")


def _aggregator(context: Context, name: str) -> dict[str, Any]:
    found = aggregators(context).get(name)
    if not found:
        raise ApiError(
            "NoSuchConfigurationAggregatorException",
            "The configuration aggregator does not exist. Check the configuration aggregator name and try again.",
        )
    return found


@operation("config", "PutConfigurationAggregator")
def put_aggregator(context: Context, request: Request) -> Response:
    """Create or replace an aggregator over accounts or over the organization."""
    name = request["ConfigurationAggregatorName"]
    accounts, organization = (
        request.get("AccountAggregationSources"),
        request.get("OrganizationAggregationSource"),
    )
    if bool(accounts) == bool(organization):
        raise ApiError(
            "InvalidParameterValueException",
            "The configuration aggregator cannot be created because your request contains neither or both of "
            "AccountAggregationSource and OrganizationAggregationSource. Include exactly one and try again.",
        )
    for source in accounts or [organization]:
        if bool(source.get("AwsRegions")) == bool(source.get("AllAwsRegions")):
            raise ApiError(
                "InvalidParameterValueException",
                "Your request must specify exactly one of AwsRegions and AllAwsRegions.",
            )
    now = context.clock.now()
    known = aggregators(context).get(name)
    found: dict[str, Any] = {
        "ConfigurationAggregatorName": name,
        "ConfigurationAggregatorArn": (
            f"arn:{context.partition}:config:{context.region}:{context.account}:"
            f"config-aggregator/config-aggregator-{abs(hash(name)) % 16**8:08x}"
        ),
        "CreationTime": known["CreationTime"] if known else now,
        "LastUpdatedTime": now,
    }
    if accounts:
        found["AccountAggregationSources"] = accounts
    else:
        found["OrganizationAggregationSource"] = organization
    aggregators(context)[name] = found
    return {"ConfigurationAggregator": found}


@operation("config", "DescribeConfigurationAggregators")
def describe_aggregators(context: Context, request: Request) -> Response:
    """The aggregators, all or by name."""
    names = request.get("ConfigurationAggregatorNames") or sorted(aggregators(context))
    found = [_aggregator(context, name) for name in names]
    page, more = paginate(found, request, limit="Limit", default=100, invalid=BAD_TOKEN)
    return {"ConfigurationAggregators": page, **more}


@operation("config", "DeleteConfigurationAggregator")
def delete_aggregator(context: Context, request: Request) -> Response:
    """Remove an aggregator."""
    _aggregator(context, request["ConfigurationAggregatorName"])
    del aggregators(context)[request["ConfigurationAggregatorName"]]
    return {}


@operation("config", "PutAggregationAuthorization")
def put_authorization(context: Context, request: Request) -> Response:
    """Let an aggregator account and region collect from here."""
    account, region = request["AuthorizedAccountId"], request["AuthorizedAwsRegion"]
    found = {
        "AggregationAuthorizationArn": (
            f"arn:{context.partition}:config:{context.region}:{context.account}:"
            f"aggregation-authorization/{account}/{region}"
        ),
        "AuthorizedAccountId": account,
        "AuthorizedAwsRegion": region,
        "CreationTime": context.clock.now(),
    }
    context.store("config.authorizations")[f"{account}/{region}"] = found
    return {"AggregationAuthorization": found}


@operation("config", "DescribeAggregationAuthorizations")
def describe_authorizations(context: Context, request: Request) -> Response:
    """Who may collect from here."""
    page, more = paginate(
        list(context.store("config.authorizations").values()), request, limit="Limit", invalid=BAD_TOKEN
    )
    return {"AggregationAuthorizations": page, **more}


@operation("config", "DeleteAggregationAuthorization")
def delete_authorization(context: Context, request: Request) -> Response:
    """Stop letting an aggregator collect from here."""
    name = f"{request['AuthorizedAccountId']}/{request['AuthorizedAwsRegion']}"
    context.store("config.authorizations").pop(name, None)
    return {}


def _named(context: Context, found: dict[str, Any]) -> Iterator[tuple[Context, bool]]:
    """Every source of an aggregator, and whether it may be collected."""
    world = context.world
    if organization := found.get("OrganizationAggregationSource"):
        sources = [(world.accounts, organization, True)]
    else:
        sources = [(source["AccountIds"], source, False) for source in found["AccountAggregationSources"]]
    for accounts, source, trusted in sources:
        regions = world.regions if source.get("AllAwsRegions") else source.get("AwsRegions", [])
        for account in accounts:
            for region in regions:
                there = context.at(account=account, region=region)
                allowed = f"{context.account}/{context.region}" in there.store("config.authorizations")
                yield there, trusted or account == context.account or allowed


def sources(context: Context, name: str) -> list[Context]:
    """The accounts and regions that an aggregator collects from."""
    return [there for there, allowed in _named(context, _aggregator(context, name)) if allowed]


@operation("config", "DescribeConfigurationAggregatorSourcesStatus")
def sources_status(context: Context, request: Request) -> Response:
    """For each source, whether collecting works."""
    found = _aggregator(context, request["ConfigurationAggregatorName"])
    now = context.clock.now()
    rows = []
    for there, allowed in _named(context, found):
        status: dict[str, Any] = {
            "SourceId": there.account,
            "SourceType": "ACCOUNT",
            "AwsRegion": there.region,
            "LastUpdateStatus": "SUCCEEDED" if allowed else "PENDING",
            "LastUpdateTime": now,
        }
        if not request.get("UpdateStatus") or status["LastUpdateStatus"] in request["UpdateStatus"]:
            rows.append(status)
    page, more = paginate(rows, request, limit="Limit", invalid=BAD_TOKEN)
    return {"AggregatedSourceStatusList": page, **more}


@operation("config", "SelectAggregateResourceConfig")
def select_aggregate(context: Context, request: Request) -> Response:
    """An advanced query over all sources of an aggregator."""
    rows = [
        row(item)
        for there in sources(context, request["ConfigurationAggregatorName"])
        for item in present(there)
    ]
    return answer_query(rows, request)


@operation("config", "ListAggregateDiscoveredResources")
def list_aggregate(context: Context, request: Request) -> Response:
    """Identifiers of one type over all sources."""
    kind = check_type(request.get("ResourceType"), "ResourceType")
    chosen = request.get("Filters") or {}
    rows = []
    for there in sources(context, request["ConfigurationAggregatorName"]):
        if chosen.get("AccountId") not in (None, there.account) or chosen.get("Region") not in (
            None,
            there.region,
        ):
            continue
        for item in present(there, [kind]):
            if chosen.get("ResourceId") not in (None, item["resourceId"]):
                continue
            if chosen.get("ResourceName") not in (None, item.get("resourceName")):
                continue
            rows.append(
                {
                    "SourceAccountId": there.account,
                    "SourceRegion": there.region,
                    "ResourceId": item["resourceId"],
                    "ResourceType": kind,
                    "ResourceName": item.get("resourceName"),
                }
            )
    page, more = paginate(rows, request, limit="Limit", default=100, invalid=BAD_TOKEN)
    return {"ResourceIdentifiers": page, **more}


@operation("config", "GetAggregateDiscoveredResourceCounts")
def aggregate_counts(context: Context, request: Request) -> Response:
    """How many resources there are, by type, account or region if asked."""
    chosen = request.get("Filters") or {}
    key = request.get("GroupByKey")
    counts: Counter[str] = Counter()
    for there in sources(context, request["ConfigurationAggregatorName"]):
        if chosen.get("AccountId") not in (None, there.account) or chosen.get("Region") not in (
            None,
            there.region,
        ):
            continue
        for item in present(there):
            if chosen.get("ResourceType") in (None, item["resourceType"]):
                group = {"ACCOUNT_ID": there.account, "AWS_REGION": there.region}
                counts[str(group.get(str(key), item["resourceType"]))] += 1
    answer: Response = {"TotalDiscoveredResources": sum(counts.values())}
    if key:
        rows = [{"GroupName": name, "ResourceCount": count} for name, count in sorted(counts.items())]
        page, more = paginate(rows, request, limit="Limit", invalid=BAD_TOKEN)
        answer.update(GroupByKey=key, GroupedResourceCounts=page, **more)
    return answer


def _key(identifier: dict[str, Any]) -> tuple[str, str, str, str]:
    return (
        identifier["SourceAccountId"],
        identifier["SourceRegion"],
        identifier["ResourceType"],
        identifier["ResourceId"],
    )


def _find(context: Context, name: str, identifier: dict[str, Any]) -> dict[str, Any] | None:
    account, region, kind, id = _key(identifier)
    for there in sources(context, name):
        if (there.account, there.region) == (account, region):
            past = visible(there, [kind]).get((kind, id))
            if past and past[-1]["configurationItemStatus"] not in DELETED:
                return past[-1]
    return None


@operation("config", "GetAggregateResourceConfig")
def get_aggregate(context: Context, request: Request) -> Response:
    """The present item of one resource of a source."""
    identifier = request["ResourceIdentifier"]
    item = _find(context, request["ConfigurationAggregatorName"], identifier)
    if item is None:
        raise ApiError(
            "ResourceNotDiscoveredException",
            "Resource {ResourceId} of resourceType:{ResourceType} is unknown or has not been discovered".format(
                **identifier
            ),
        )
    return {"ConfigurationItem": full(item)}


@operation("config", "BatchGetAggregateResourceConfig")
def batch_get_aggregate(context: Context, request: Request) -> Response:
    """Present items of up to 100 resources of the sources; unknown ones come back as unprocessed."""
    name = request["ConfigurationAggregatorName"]
    _aggregator(context, name)
    items, left = [], []
    for identifier in request["ResourceIdentifiers"]:
        item = _find(context, name, identifier)
        if item is None:
            left.append(identifier)
        else:
            items.append(base(item))
    return {"BaseConfigurationItems": items, "UnprocessedResourceIdentifiers": left}
