"""AWS::RDS::DBInstance: what DescribeDBInstances answers, with groups flattened to names."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, names
from driftguard.model import Json

COVERAGE = names(
    """
    AllocatedStorage AutoMinorVersionUpgrade AvailabilityZone BackupRetentionPeriod CACertificateIdentifier
    CharacterSetName CopyTagsToSnapshot DBClusterIdentifier DBInstanceClass DBInstanceIdentifier DBName
    DBParameterGroupName DBSubnetGroupName DeletionProtection EnableCloudwatchLogsExports
    EnableIAMDatabaseAuthentication EnablePerformanceInsights Engine EngineVersion Iops KmsKeyId
    LicenseModel MasterUsername MaxAllocatedStorage MonitoringInterval MonitoringRoleArn MultiAZ
    NcharCharacterSetName OptionGroupName PerformanceInsightsKMSKeyId PerformanceInsightsRetentionPeriod
    Port PreferredBackupWindow PreferredMaintenanceWindow PromotionTier PubliclyAccessible
    SourceDBInstanceIdentifier StorageEncrypted StorageType Timezone VPCSecurityGroups
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    # AWS answers 0 for the port while the instance is being made.
    if properties.get("Port") in (0, "0"):
        del properties["Port"]


SHAPE = Shape(
    type="AWS::RDS::DBInstance",
    coverage=COVERAGE,
    rename={
        "DBParameterGroupName": "dBParameterGroups[0].dBParameterGroupName",
        "DBSubnetGroupName": "dBSubnetGroup.dBSubnetGroupName",
        "EnableCloudwatchLogsExports": "enabledCloudwatchLogsExports",
        "EnableIAMDatabaseAuthentication": "iAMDatabaseAuthenticationEnabled",
        "EnablePerformanceInsights": "performanceInsightsEnabled",
        "OptionGroupName": "optionGroupMemberships[0].optionGroupName",
        "Port": "endpoint.port",
        "SourceDBInstanceIdentifier": "readReplicaSourceDBInstanceIdentifier",
        "VPCSecurityGroups": "vpcSecurityGroups[].vpcSecurityGroupId",
    },
    finish=_finish,
)
