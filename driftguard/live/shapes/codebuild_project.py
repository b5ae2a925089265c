"""AWS::CodeBuild::Project: BatchGetProjects; source and artifacts come as lists, subnets as maps."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    """
    Artifacts Cache ConcurrentBuildLimit Description EncryptionKey FileSystemLocations LogsConfig Name
    QueuedTimeoutInMinutes SecondaryArtifacts SecondarySourceVersions ServiceRole SourceVersion
    TimeoutInMinutes VpcConfig
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    for name in ("Artifacts", "Source"):
        found = get(item.configuration, name)
        if isinstance(found, list):
            properties[name] = found[0] if found else None
    network = get(item.configuration, "vpcConfig")
    if network:
        subnets = get(network, "subnets") or []
        properties["VpcConfig"] = {
            "VpcId": get(network, "vpcId"),
            "SecurityGroupIds": get(network, "securityGroupIds"),
            "Subnets": [row if isinstance(row, str) else get(row, "subnet") for row in subnets],
        }
    properties["FileSystemLocations"] = [
        dict(row) for row in rows(get(item.configuration, "fileSystemLocations"))
    ]


SHAPE = Shape(
    type="AWS::CodeBuild::Project",
    coverage=COVERAGE,
    blind=names("Cache/CacheNamespace FileSystemLocations/*/MountOptions"),
    rename={"Id": "name"},
    finish=_finish,
)
