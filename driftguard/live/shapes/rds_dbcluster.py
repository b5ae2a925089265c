"""AWS::RDS::DBCluster: what DescribeDBClusters answers, in AWS Config's own capitalisation."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AllocatedStorage AutoMinorVersionUpgrade BacktrackWindow BackupRetentionPeriod CopyTagsToSnapshot
    DBClusterIdentifier DBClusterInstanceClass DBClusterParameterGroupName DBSubnetGroupName DatabaseName
    DeletionProtection EnableCloudwatchLogsExports EnableHttpEndpoint EnableIAMDatabaseAuthentication
    Engine EngineMode EngineVersion Iops KmsKeyId MasterUsername MonitoringInterval MonitoringRoleArn
    NetworkType PerformanceInsightsEnabled PerformanceInsightsKmsKeyId PerformanceInsightsRetentionPeriod
    Port PreferredBackupWindow PreferredMaintenanceWindow PubliclyAccessible StorageEncrypted StorageType
    VpcSecurityGroupIds
    """
)

SHAPE = Shape(
    type="AWS::RDS::DBCluster",
    coverage=COVERAGE,
    rename={
        "DBClusterParameterGroupName": "dbclusterParameterGroup",
        "DBSubnetGroupName": "dbsubnetGroup",
        "EnableCloudwatchLogsExports": "enabledCloudwatchLogsExports",
        "EnableHttpEndpoint": "httpEndpointEnabled",
        "EnableIAMDatabaseAuthentication": "iamdatabaseAuthenticationEnabled",
        "VpcSecurityGroupIds": "vpcSecurityGroups[].vpcSecurityGroupId",
    },
)
