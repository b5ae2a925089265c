"""SAM templates through AWS's own translator, offline: no call leaves the machine.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-reference.html
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from types import SimpleNamespace

from driftguard.declared.context import ResolveContext, partition_of
from driftguard.declared.template import Template
from driftguard.errors import TemplateError, Where
from driftguard.model import Json

_DEFAULT_REGION = "us-east-1"
"""SAM writes the partition into ARNs; without a region it is taken to be the commercial one."""
_TRANSLATING = threading.Lock()


def translate(template: Template, document: Mapping[str, Json], context: ResolveContext) -> dict[str, Json]:
    """The CloudFormation document that AWS's SAM transform makes of ``document``.

    Raises `TemplateError` with SAM's own reason, at the resource it names.
    """
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    from samtranslator.model.exceptions import (
        ExceptionWithMessage,
        InvalidDocumentException,
    )

    region = context.region or _DEFAULT_REGION
    values = {name: value for name, value in context.parameters.items() if value != "****"}
    source = _packaged(json.loads(json.dumps(document)))
    with _TRANSLATING:
        try:
            result: dict[str, Json] = _transform(source, values, region)
        except InvalidDocumentException as error:
            causes = list(error.causes) or [error]
            message = " ".join(cause.message for cause in causes)
            raise TemplateError(f"SAM refuses this: {message}", where=_where(template, causes)) from None
        except ExceptionWithMessage as error:
            raise TemplateError(
                f"SAM refuses this: {error.message}", where=_where(template, [error])
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # The translator takes some malformed documents for granted and stumbles; so would the service.
            raise TemplateError(
                f"SAM cannot translate this: {type(error).__name__}: {error}.",
                where=template.where(("Resources",)),
            ) from None
    return result


_ARTIFACTS = {
    "AWS::Serverless::Function": ("CodeUri",),
    "AWS::Serverless::LayerVersion": ("ContentUri",),
    "AWS::Serverless::Api": ("DefinitionUri",),
    "AWS::Serverless::HttpApi": ("DefinitionUri",),
    "AWS::Serverless::StateMachine": ("DefinitionUri",),
    "AWS::Serverless::GraphQLApi": ("SchemaUri",),
}
_GLOBALS = {"Function": ("CodeUri",), "LayerVersion": ("ContentUri",)}


def _packaged(document: dict[str, Json]) -> dict[str, Json]:
    """The document with each local path where packaging would put an S3 address, which is unknown."""
    shared = document.get("Globals")
    for section, names in _GLOBALS.items():
        _package(shared.get(section) if isinstance(shared, dict) else None, names)
    for resource in (document.get("Resources") or {}).values():
        if not isinstance(resource, dict):
            continue
        properties = resource.get("Properties")
        _package(properties, _ARTIFACTS.get(str(resource.get("Type")), ()))
        if isinstance(properties, dict) and properties.get("PackageType") == "Image":
            properties.setdefault("ImageUri", "{{resolve:package:image}}")
    return document


def _package(properties: Json, names: tuple[str, ...]) -> None:
    for name in names if isinstance(properties, dict) else ():
        value = properties.get(name)
        if isinstance(value, str) and "://" not in value:
            properties[name] = f"s3://{{{{resolve:package:bucket}}}}/{{{{resolve:package:{name}}}}}"


def _transform(document: dict[str, Json], values: dict[str, Json], region: str) -> dict[str, Json]:
    from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
    from samtranslator.parser.parser import Parser
    from samtranslator.plugins.application.serverless_app_plugin import ServerlessAppPlugin
    from samtranslator.translator.arn_generator import ArnGenerator
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import (
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    partition = partition_of(region)
    definitions = document.get("Parameters") or {}
    defaults = {
        name: definition["Default"]
        for name, definition in definitions.items()
        if isinstance(definition, dict) and "Default" in definition
    }
    parameters = {**defaults, **values, "AWS::Region": region, "AWS::Partition": partition}
    policies = get_bundled_managed_policy_map(partition) or {}
    before = ArnGenerator.BOTO_SESSION_REGION_NAME
    try:
        # The translator's logical ids hash the document the way Python 2 did; this is its own switch.
        to_py27_compatible_template(document, parameters)
        translator = Translator(
            None,
            Parser(),
            plugins=[ServerlessAppPlugin(sar_client=_OfflineRepository(), parameters=parameters)],
            boto_session=SimpleNamespace(region_name=region),
        )
        translated = translator.translate(
            document, parameter_values=parameters, get_managed_policy_map=lambda: policies
        )
    finally:
        ArnGenerator.BOTO_SESSION_REGION_NAME = before
    result: dict[str, Json] = undo_mark_unicode_str_in_template(translated)
    return result


class _OfflineRepository:
    """Stands where the translator would call the Serverless Application Repository.

    The address of an application's template is known to AWS alone, so it is a reference that cannot be
    resolved.
    """

    def create_cloud_formation_template(self, **request: str) -> dict[str, str]:
        name = f"{request.get('ApplicationId')}:{request.get('SemanticVersion')}"
        return {"TemplateUrl": f"{{{{resolve:serverlessrepo:{name}}}}}", "Status": "ACTIVE"}


def _where(template: Template, causes: Sequence[Exception]) -> Where:
    """The resource that SAM blames, if it names one."""
    resources = template.document.get("Resources") or {}
    for cause in causes:
        name = getattr(cause, "_logical_id", None)
        if isinstance(name, str) and name in resources:
            return template.where(("Resources", name))
    return template.where(("Resources",))
