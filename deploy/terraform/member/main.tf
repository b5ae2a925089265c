# driftguard in a member account: the read role, the remediation role (only if asked for) and the rules that
# forward changes.  The lists of actions stand in computed.tf.json and are computed from driftguard's code.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0, < 7.0"
    }
  }
}

data "aws_partition" "this" {}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.this.partition}:iam::${var.hub_account_id}:role/${var.hub_role_name}"]
    }
    condition {
      test     = "StringEquals"
      variable = "sts:ExternalId"
      values   = [var.external_id]
    }
  }
}

data "aws_iam_policy_document" "read" {
  statement {
    sid       = "DriftguardRead"
    actions   = local.read_actions
    resources = ["*"]
  }
}

resource "aws_iam_role" "read" {
  count                = var.create_roles ? 1 : 0
  name                 = var.read_role_name
  description          = "driftguard looks, and changes nothing."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "read" {
  count  = var.create_roles ? 1 : 0
  name   = "driftguard-read"
  role   = aws_iam_role.read[0].id
  policy = data.aws_iam_policy_document.read.json
}

# Cloud Control reads a resource in the caller's name; AWS keeps that list of reads up to date.
resource "aws_iam_role_policy_attachment" "models" {
  for_each   = var.create_roles ? toset(["SecurityAudit", "job-function/ViewOnlyAccess"]) : toset([])
  role       = aws_iam_role.read[0].name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/${each.value}"
}

data "aws_iam_policy_document" "remediate" {
  statement {
    sid       = "DriftguardRemediate"
    actions   = local.remediate_actions
    resources = ["*"]
  }
  dynamic "statement" {
    for_each = var.automation_role_arn == null ? [] : [var.automation_role_arn]
    content {
      sid       = "DriftguardPassRole"
      actions   = ["iam:PassRole"]
      resources = [statement.value]
      condition {
        test     = "StringEquals"
        variable = "iam:PassedToService"
        values   = ["ssm.amazonaws.com"]
      }
    }
  }
}

resource "aws_iam_role" "remediate" {
  count                = var.create_roles && var.remediation ? 1 : 0
  name                 = var.remediation_role_name
  description          = "driftguard carries out approved plans."
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "remediate" {
  count  = var.create_roles && var.remediation ? 1 : 0
  name   = "driftguard-remediate"
  role   = aws_iam_role.remediate[0].id
  policy = data.aws_iam_policy_document.remediate.json
}

locals {
  rules = var.hub_event_bus_arn == null ? {} : {
    config = {
      source      = ["aws.config"]
      detail-type = ["Config Configuration Item Change"]
    }
    stacks = {
      source      = ["aws.cloudformation"]
      detail-type = ["CloudFormation Stack Status Change"]
    }
    calls = {
      detail-type = ["AWS API Call via CloudTrail"]
      detail = {
        readOnly    = [false]
        errorCode   = [{ exists = false }]
        eventSource = local.event_sources
      }
    }
  }
}

resource "aws_iam_role" "forward" {
  count = var.hub_event_bus_arn == null ? 0 : 1
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "forward" {
  count = var.hub_event_bus_arn == null ? 0 : 1
  role  = aws_iam_role.forward[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:PutEvents", Resource = var.hub_event_bus_arn }]
  })
}

resource "aws_cloudwatch_event_rule" "forward" {
  for_each      = local.rules
  name          = "driftguard-${each.key}"
  event_pattern = jsonencode(each.value)
}

resource "aws_cloudwatch_event_target" "forward" {
  for_each = local.rules
  rule     = aws_cloudwatch_event_rule.forward[each.key].name
  arn      = var.hub_event_bus_arn
  role_arn = aws_iam_role.forward[0].arn
}
