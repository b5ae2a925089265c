"""AWS::NetworkFirewall::Firewall: what DescribeFirewall answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    DeleteProtection Description FirewallName FirewallPolicyArn FirewallPolicyChangeProtection
    SubnetChangeProtection SubnetMappings VpcId
    """
)

SHAPE = Shape(
    type="AWS::NetworkFirewall::Firewall",
    coverage=COVERAGE,
    rename={
        "FirewallArn": "firewall.firewallArn",
        "DeleteProtection": "firewall.deleteProtection",
        "Description": "firewall.description",
        "FirewallName": "firewall.firewallName",
        "FirewallPolicyArn": "firewall.firewallPolicyArn",
        "FirewallPolicyChangeProtection": "firewall.firewallPolicyChangeProtection",
        "SubnetChangeProtection": "firewall.subnetChangeProtection",
        "SubnetMappings": "firewall.subnetMappings",
        "VpcId": "firewall.vpcId",
    },
)
