"""AWS Lambda functions."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.types.base import Adapter, Properties, pick, tag_changes, tag_list, tag_map

_SETTINGS = ("DeadLetterConfig", "Description", "Environment", "EphemeralStorage", "FileSystemConfigs", "Handler",
             "Layers", "LoggingConfig", "MemorySize", "Role", "Runtime", "Timeout", "TracingConfig", "VpcConfig")  # fmt: skip
_READ = (
    *(name for name in _SETTINGS if name not in ("Layers", "VpcConfig")),
    "Architectures",
    "PackageType",
    "FunctionName",
)
# What CloudFormation sets when a property goes away: defaults of CreateFunction.
_DEFAULTS: Properties = {
    "Description": "",
    "Environment": {"Variables": {}},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
}


class Function(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html"""

    type_name = "AWS::Lambda::Function"
    service = "lambda"
    name_property = "FunctionName"
    unordered = ("Architectures", "Layers", "Tags")

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_function(
            FunctionName=name,
            Code=self._code(properties["Code"]),
            Tags=tag_map(properties.get("Tags")),
            **pick(properties, *_SETTINGS, "Architectures", "PackageType", "CodeSigningConfigArn"),
            **({"KMSKeyArn": properties["KmsKeyArn"]} if "KmsKeyArn" in properties else {}),
        )
        self._concurrency(name, {}, properties)
        self._keep_dead_letters(name, properties)
        return name

    def _keep_dead_letters(self, name: str, properties: Properties) -> None:
        """moto takes the dead-letter target and shows none."""
        self.context.store("types.lambda.dead_letters")[name] = properties.get("DeadLetterConfig")

    def read(self, id: str) -> Properties:
        answer = self.client.get_function(FunctionName=id)
        found = answer["Configuration"]
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        network = pick(
            found.get("VpcConfig") or {}, "SecurityGroupIds", "SubnetIds", "Ipv6AllowedForDualStack"
        )
        tags = tag_list(answer.get("Tags") or {})
        letters = self.context.store("types.lambda.dead_letters").get(id)
        return {
            "Arn": found["FunctionArn"],
            **pick(found, *_READ),
            **({"KmsKeyArn": found["KMSKeyArn"]} if found.get("KMSKeyArn") else {}),
            **({"Layers": [layer["Arn"] for layer in found["Layers"]]} if found.get("Layers") else {}),
            **({"VpcConfig": network} if network.get("SubnetIds") else {}),
            **({"ReservedConcurrentExecutions": reserved} if reserved is not None else {}),
            **({"DeadLetterConfig": letters} if letters else {}),
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        wanted = {
            name: new.get(name, _DEFAULTS.get(name))
            for name in _SETTINGS
            if old.get(name) != new.get(name) and (name in new or name in _DEFAULTS)
        }
        if wanted:
            self.client.update_function_configuration(FunctionName=id, **wanted)
        if old.get("Code") != new.get("Code"):
            self.client.update_function_code(FunctionName=id, **self._code(new["Code"]))
        self._concurrency(id, old, new)
        self._keep_dead_letters(id, new)
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.tag_resource(Resource=self.arn(id), Tags=set_tags)
        if remove:
            self.client.untag_resource(Resource=self.arn(id), TagKeys=remove)

    def delete(self, id: str) -> None:
        self.client.delete_function(FunctionName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_functions").paginate()
        return [function["FunctionName"] for page in pages for function in page["Functions"]]

    def arn(self, id: str) -> str:
        return str(self.client.get_function(FunctionName=id)["Configuration"]["FunctionArn"])

    def _code(self, code: Properties) -> dict[str, Any]:
        if "ImageUri" in code:
            return pick(code, "ImageUri")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("index.py", code.get("ZipFile", "def handler(event, context): pass\n"))
        if "S3Bucket" in code:
            # Packages are seldom in the sandbox's buckets; where one is, it is used, else a stand-in.
            try:
                self.context.client("s3").head_object(Bucket=code["S3Bucket"], Key=code["S3Key"])
            except ClientError:
                return {"ZipFile": archive.getvalue()}
            return pick(code, "S3Bucket", "S3Key")
        return {"ZipFile": archive.getvalue()}

    def _concurrency(self, name: str, old: Properties, new: Properties) -> None:
        before, after = (p.get("ReservedConcurrentExecutions") for p in (old, new))
        if before == after:
            return
        if after is None:
            self.client.delete_function_concurrency(FunctionName=name)
        else:
            self.client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=after)
