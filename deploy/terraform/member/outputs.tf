output "read_role_arn" {
  description = "The role that driftguard reads with."
  value       = one(aws_iam_role.read[*].arn)
}

output "remediation_role_arn" {
  description = "The role that driftguard remediates with."
  value       = one(aws_iam_role.remediate[*].arn)
}
