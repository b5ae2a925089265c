"""AWS::NetworkFirewall::FirewallPolicy: what DescribeFirewallPolicy answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Description FirewallPolicy FirewallPolicyName")

SHAPE = Shape(
    type="AWS::NetworkFirewall::FirewallPolicy",
    coverage=COVERAGE,
    blind=names(
        """
        FirewallPolicy/EnableTLSSessionHolding FirewallPolicy/PolicyVariables
        FirewallPolicy/StatefulEngineOptions/FlowTimeouts
        FirewallPolicy/StatefulRuleGroupReferences/*/DeepThreatInspection
        FirewallPolicy/TLSInspectionConfigurationArn
        """
    ),
    rename={
        "FirewallPolicyArn": "firewallPolicyResponse.firewallPolicyArn",
        "FirewallPolicyName": "firewallPolicyResponse.firewallPolicyName",
        "Description": "firewallPolicyResponse.description",
    },
)
