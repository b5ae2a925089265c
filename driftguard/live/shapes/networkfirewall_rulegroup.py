"""AWS::NetworkFirewall::RuleGroup: what DescribeRuleGroup answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names("Capacity Description RuleGroup RuleGroupName Type")

SHAPE = Shape(
    type="AWS::NetworkFirewall::RuleGroup",
    coverage=COVERAGE,
    blind=names(
        """
        RuleGroup/ReferenceSets RuleGroup/RuleVariables RuleGroup/RulesSource/RulesString
        RuleGroup/RulesSource/StatefulRules
        """
    ),
    rename={
        "RuleGroupArn": "ruleGroupResponse.ruleGroupArn",
        "RuleGroupName": "ruleGroupResponse.ruleGroupName",
        "Description": "ruleGroupResponse.description",
        "Capacity": "ruleGroupResponse.capacity",
        "Type": "ruleGroupResponse.type",
    },
)
