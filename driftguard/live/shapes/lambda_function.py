"""AWS::Lambda::Function: GetFunctionConfiguration; the code is only a hash and the environment may be masked."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    """
    Architectures DeadLetterConfig Description EphemeralStorage FileSystemConfigs FunctionName Handler
    KmsKeyArn Layers MemorySize PackageType Role Runtime Timeout TracingConfig VpcConfig
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["Layers"] = [get(row, "arn") for row in rows(get(item.configuration, "layers"))]
    network = properties.get("VpcConfig") or {}
    kept = {name: value for name, value in network.items() if name != "VpcId" and value}
    properties["VpcConfig"] = kept
    if properties.get("Description") == "":
        del properties["Description"]
    reserved = get(item.supplementary, "Concurrency", "reservedConcurrentExecutions")
    if reserved is not None:
        properties["ReservedConcurrentExecutions"] = reserved


SHAPE = Shape(
    type="AWS::Lambda::Function",
    coverage=COVERAGE,
    blind=names("FileSystemConfigs/*/S3FilesConfig VpcConfig/Ipv6AllowedForDualStack"),
    rename={"KmsKeyArn": "kMSKeyArn"},
    finish=_finish,
)
