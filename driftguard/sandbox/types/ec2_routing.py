"""EC2: gateways and routes."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Properties, pick
from driftguard.sandbox.types.ec2_base import Ec2Adapter, tags_of

# What a route may lead to: CloudFormation's property, and DescribeRouteTables' name where it differs.
_TARGETS = {
    "GatewayId": "GatewayId",
    "NatGatewayId": "NatGatewayId",
    "TransitGatewayId": "TransitGatewayId",
    "VpcPeeringConnectionId": "VpcPeeringConnectionId",
    "NetworkInterfaceId": "NetworkInterfaceId",
    "InstanceId": "InstanceId",
    "EgressOnlyInternetGatewayId": "EgressOnlyInternetGatewayId",
}


class InternetGateway(Ec2Adapter):
    type_name = "AWS::EC2::InternetGateway"
    kind = "internet-gateway"
    describe = (
        "describe_internet_gateways",
        "InternetGatewayIds",
        "InternetGateways",
        "InternetGatewayId",
    )

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_internet_gateway(**self.tagged(properties))
        return str(made["InternetGateway"]["InternetGatewayId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        return {"InternetGatewayId": id, **tags_of(found)} if found else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_internet_gateway(InternetGatewayId=id)


class GatewayAttachment(Ec2Adapter):
    """The id is ``IGW|vpc-...``, as CloudFormation gives it."""

    type_name = "AWS::EC2::VPCGatewayAttachment"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.attach_internet_gateway(
            VpcId=properties["VpcId"], InternetGatewayId=properties["InternetGatewayId"]
        )
        return f"IGW|{properties['VpcId']}"

    def read(self, id: str) -> Properties | None:
        vpc = id.partition("|")[2]
        gateways = self._attached(vpc)
        if not gateways:
            return None
        return {"AttachmentType": "IGW", "VpcId": vpc, "InternetGatewayId": gateways[0]["InternetGatewayId"]}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.delete(id)
        self.create("", new)

    def delete(self, id: str) -> None:
        vpc = id.partition("|")[2]
        for gateway in self._attached(vpc):
            self.client.detach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway["InternetGatewayId"])

    def list_ids(self) -> list[str]:
        gateways = self.client.describe_internet_gateways()["InternetGateways"]
        return [f"IGW|{a['VpcId']}" for gateway in gateways for a in gateway["Attachments"]]

    def identifier(self, id: str) -> str | None:
        return id

    def _attached(self, vpc: str) -> list[dict[str, Any]]:
        filters = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
        return list(self.client.describe_internet_gateways(Filters=filters)["InternetGateways"])


class RouteTable(Ec2Adapter):
    type_name = "AWS::EC2::RouteTable"
    kind = "route-table"
    describe = ("describe_route_tables", "RouteTableIds", "RouteTables", "RouteTableId")

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.create_route_table(VpcId=properties["VpcId"], **self.tagged(properties))
        return str(made["RouteTable"]["RouteTableId"])

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        return {"RouteTableId": id, "VpcId": found["VpcId"], **tags_of(found)} if found else None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_route_table(RouteTableId=id)


class Route(Ec2Adapter):
    """The id is ``rtb-...|destination``."""

    type_name = "AWS::EC2::Route"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_route(**self._call(properties))
        return f"{properties['RouteTableId']}|{_destination(properties)}"

    def read(self, id: str) -> Properties | None:
        table, _, destination = id.partition("|")
        tables = self.client.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        for route in tables[0]["Routes"] if tables else ():
            if destination in (route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock")):
                key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
                target = {name: route[seen] for name, seen in _TARGETS.items() if route.get(seen)}
                return {"RouteTableId": table, key: destination, "CidrBlock": destination, **target}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.replace_route(**self._call(new))

    def delete(self, id: str) -> None:
        table, _, destination = id.partition("|")
        key = "DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock"
        self.client.delete_route(RouteTableId=table, **{key: destination})

    def list_ids(self) -> list[str]:
        """Routes that somebody made; the local route belongs to its table."""
        ids = []
        for table in self.client.describe_route_tables()["RouteTables"]:
            for route in table["Routes"]:
                destination = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
                if destination and route.get("Origin") == "CreateRoute":
                    ids.append(f"{table['RouteTableId']}|{destination}")
        return ids

    def identifier(self, id: str) -> str | None:
        return id

    @staticmethod
    def _call(properties: Properties) -> Properties:
        return pick(properties, "RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock", *_TARGETS)


class SubnetRouteTableAssociation(Ec2Adapter):
    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.associate_route_table(
            SubnetId=properties["SubnetId"], RouteTableId=properties["RouteTableId"]
        )
        return str(made["AssociationId"])

    def read(self, id: str) -> Properties | None:
        for association in self._associations():
            if association["RouteTableAssociationId"] == id:
                return {"Id": id, **pick(association, "SubnetId", "RouteTableId")}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.replace_route_table_association(AssociationId=id, RouteTableId=new["RouteTableId"])

    def delete(self, id: str) -> None:
        self.client.disassociate_route_table(AssociationId=id)

    def list_ids(self) -> list[str]:
        return [a["RouteTableAssociationId"] for a in self._associations()]

    def _associations(self) -> list[dict[str, Any]]:
        tables = self.client.describe_route_tables()["RouteTables"]
        return [a for table in tables for a in table["Associations"] if a.get("SubnetId")]


class Address(Ec2Adapter):
    """``Ref`` is the public address; Cloud Control joins it with the allocation id."""

    type_name = "AWS::EC2::EIP"
    kind = "elastic-ip"

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.allocate_address(Domain=properties.get("Domain", "vpc"), **self.tagged(properties))
        if properties.get("InstanceId"):
            self.client.associate_address(
                AllocationId=made["AllocationId"], InstanceId=properties["InstanceId"]
            )
        return str(made["PublicIp"])

    def found(self, id: str) -> dict[str, Any] | None:
        items = self.client.describe_addresses(PublicIps=[id])["Addresses"]
        return dict(items[0]) if items else None

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None:
            return None
        shown = pick(found, "PublicIp", "AllocationId", "Domain", "InstanceId", "PublicIpv4Pool")
        return {**shown, **tags_of(found)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(self._allocation(id), old, new)

    def delete(self, id: str) -> None:
        self.client.release_address(AllocationId=self._allocation(id))

    def list_ids(self) -> list[str]:
        return [a["PublicIp"] for a in self.client.describe_addresses()["Addresses"]]

    def identifier(self, id: str) -> str | None:
        return f"{id}|{self._allocation(id)}"

    def _allocation(self, id: str) -> str:
        return str((self.found(id) or {}).get("AllocationId", ""))


class NatGateway(Ec2Adapter):
    type_name = "AWS::EC2::NatGateway"
    kind = "natgateway"
    describe = ("describe_nat_gateways", "NatGatewayIds", "NatGateways", "NatGatewayId")

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "SubnetId", "AllocationId", "ConnectivityType")
        return str(
            self.client.create_nat_gateway(**call, **self.tagged(properties))["NatGateway"]["NatGatewayId"]
        )

    def read(self, id: str) -> Properties | None:
        found = self.found(id)
        if found is None or found.get("State") in ("deleting", "deleted"):
            return None
        address = (found.get("NatGatewayAddresses") or [{}])[0]
        return {
            **pick(found, "NatGatewayId", "SubnetId", "VpcId"),
            # moto does not show it where it is the default; AWS always does.
            "ConnectivityType": found.get("ConnectivityType") or "public",
            **pick(address, "AllocationId"),
            **tags_of(found),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(id, old, new)

    def delete(self, id: str) -> None:
        self.client.delete_nat_gateway(NatGatewayId=id)

    def list_ids(self) -> list[str]:
        return [id for id in super().list_ids() if self.read_or_none(id) is not None]


def _destination(properties: Properties) -> str:
    return str(properties.get("DestinationCidrBlock") or properties["DestinationIpv6CidrBlock"])
