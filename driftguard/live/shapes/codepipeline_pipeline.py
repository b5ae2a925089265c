"""AWS::CodePipeline::Pipeline: GetPipeline, with the pipeline inside a wrapper and stores keyed by region."""

from collections.abc import Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names("ArtifactStore ArtifactStores ExecutionMode Name PipelineType RoleArn Stages")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    stores = get(item.configuration, "pipeline", "artifactStores")
    if isinstance(stores, Mapping):
        properties["ArtifactStores"] = [
            {"Region": region, "ArtifactStore": store} for region, store in sorted(stores.items())
        ]


SHAPE = Shape(
    type="AWS::CodePipeline::Pipeline",
    coverage=COVERAGE,
    blind=names(
        """
        Stages/*/Actions/*/Commands Stages/*/Actions/*/OutputArtifacts/*/Files
        Stages/*/Actions/*/OutputVariables Stages/*/Actions/*/TimeoutInMinutes
        Stages/*/Actions/*/EnvironmentVariables Stages/*/BeforeEntry Stages/*/OnFailure
        Stages/*/OnSuccess Stages/*/Blockers
        """
    ),
    rename={
        "ArtifactStore": "pipeline.artifactStore",
        "ExecutionMode": "pipeline.executionMode",
        "Name": "pipeline.name",
        "PipelineType": "pipeline.pipelineType",
        "RoleArn": "pipeline.roleArn",
        "Stages": "pipeline.stages",
    },
    finish=_finish,
)
