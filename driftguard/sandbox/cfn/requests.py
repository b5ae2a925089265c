"""What requests to CloudFormation have in common: template body, parameters, tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

from driftguard.sandbox.cfn.state import Stack
from driftguard.sandbox.cfn.template import invalid
from driftguard.sandbox.core import Context, Request


def template_body(context: Context, request: Mapping[str, Any], stack: Stack | None = None) -> str:
    """The template text that a request means.  Raises ApiError where there is none."""
    if request.get("TemplateBody"):
        return str(request["TemplateBody"])
    if request.get("TemplateURL"):
        return fetch(context, str(request["TemplateURL"]))
    if request.get("UsePreviousTemplate") and stack is not None:
        return stack.body
    # Recorded.
    raise invalid("Either Template URL or Template Body must be specified.")


def fetch(context: Context, url: str) -> str:
    """The template at an S3 address, in path style or virtual-host style."""
    parts = urlsplit(url)
    path = unquote(parts.path).lstrip("/")
    host = parts.netloc
    bucket, _, key = path.partition("/")
    if ".s3" in host and not host.startswith("s3"):
        bucket, key = host.partition(".s3")[0], path
    if parts.scheme == "s3":
        bucket, key = host, path
    try:
        body = context.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        # Recorded form of CloudFormation's answer to a template it cannot read.
        raise invalid(f"S3 error: {error.response['Error']['Message']}") from error
    return str(body.decode())


def given_parameters(request: Request, stack: Stack | None = None) -> dict[str, str]:
    """Parameter texts of a request; UsePreviousValue takes them from ``stack``."""
    before = stack.parameters.texts if stack else {}
    given: dict[str, str] = {}
    for parameter in request.get("Parameters") or []:
        name = parameter["ParameterKey"]
        if parameter.get("UsePreviousValue"):
            if name in before:
                given[name] = before[name]
        else:
            given[name] = parameter.get("ParameterValue", "")
    return given


def given_tags(request: Request, stack: Stack | None = None) -> dict[str, str]:
    """Stack tags of a request; those of ``stack`` where the request has none."""
    if request.get("Tags") is None:
        return dict(stack.tags) if stack else {}
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}
