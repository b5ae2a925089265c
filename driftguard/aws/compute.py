"""EC2, EMR and the images of ECR: what their resources do not say about themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class Ec2Facts(Gateway):
    SERVICE = "ec2"
    PREFIX = "ec2"

    @reads("ec2:DescribeSnapshots")
    def public_snapshots(self) -> Iterator[Answer]:
        """The snapshots of the account that everybody may restore."""
        return self.items("DescribeSnapshots", "Snapshots", OwnerIds=["self"], RestorableByUserIds=["all"])

    @reads("ec2:DescribeImages")
    def public_images(self) -> Iterator[Answer]:
        """The images of the account that everybody may launch."""
        return self.items(
            "DescribeImages", "Images", Owners=["self"], Filters=[{"Name": "is-public", "Values": ["true"]}]
        )

    @reads("ec2:DescribeInstances")
    def stopped_instances(self) -> Iterator[Answer]:
        """The stopped instances, with StateTransitionReason."""
        stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
        for reservation in self.items("DescribeInstances", "Reservations", Filters=stopped, MaxResults=1000):
            yield from reservation.get("Instances", ())

    @reads("ec2:DescribeInstanceImageMetadata")
    def instance_images(self) -> Iterator[Answer]:
        """Every instance with what is known of its image."""
        return self.items("DescribeInstanceImageMetadata", "InstanceImageMetadata", MaxResults=1000)

    @reads("ec2:DescribeInternetGateways")
    def internet_gateways(self) -> Iterator[Answer]:
        """The internet gateways with their attachments."""
        return self.items("DescribeInternetGateways", "InternetGateways", MaxResults=1000)

    @reads("ec2:DescribeVpnConnections")
    def vpn_connections(self) -> tuple[Answer, ...]:
        """The available VPN connections with the state of their tunnels; AWS answers all at once."""
        available = [{"Name": "state", "Values": ["available"]}]
        return tuple(self.call("DescribeVpnConnections", Filters=available).get("VpnConnections", ()))

    @reads("ec2:DescribeNetworkAcls")
    def network_acls(self) -> Iterator[Answer]:
        """The network ACLs with the subnets they belong to."""
        return self.items("DescribeNetworkAcls", "NetworkAcls", MaxResults=1000)

    @reads("ec2:DescribeNetworkInterfaces")
    def network_interfaces(self) -> Iterator[Answer]:
        """The network interfaces with their security groups."""
        return self.items("DescribeNetworkInterfaces", "NetworkInterfaces", MaxResults=1000)


class Emr(Gateway):
    SERVICE = "emr"
    PREFIX = "elasticmapreduce"

    @reads("elasticmapreduce:GetBlockPublicAccessConfiguration")
    def public_access_block(self) -> Answer:
        """The region's block of public access."""
        found: Answer = self.call("GetBlockPublicAccessConfiguration")["BlockPublicAccessConfiguration"]
        return found

    @reads("elasticmapreduce:ListClusters")
    def clusters(self) -> Iterator[Answer]:
        """The clusters that run or wait."""
        return self.items("ListClusters", "Clusters", token="Marker", ClusterStates=["RUNNING", "WAITING"])

    @reads("elasticmapreduce:ListInstances")
    def primary_nodes(self, cluster: str) -> Iterator[Answer]:
        """The running primary nodes of a cluster."""
        return self.items(
            "ListInstances",
            "Instances",
            token="Marker",
            ClusterId=cluster,
            InstanceGroupTypes=["MASTER"],
            InstanceStates=["RUNNING"],
        )


class Ecr(Gateway):
    SERVICE = "ecr"
    PREFIX = "ecr"

    @reads("ecr:GetRegistryScanningConfiguration")
    def scanning(self) -> Answer:
        """How the registry scans images."""
        found: Answer = self.call("GetRegistryScanningConfiguration")["scanningConfiguration"]
        return found

    @reads("ecr:DescribeRepositories")
    def repositories(self) -> Iterator[Answer]:
        """The repositories of the region."""
        return self.items("DescribeRepositories", "repositories", token="nextToken", maxResults=1000)

    @reads("ecr:DescribeImages")
    def images(self, repository: str) -> Iterator[Answer]:
        """The tagged images of a repository with the summary of their scans."""
        return self.items(
            "DescribeImages",
            "imageDetails",
            token="nextToken",
            repositoryName=repository,
            filter={"tagStatus": "TAGGED"},
            maxResults=1000,
        )
