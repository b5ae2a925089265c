variable "hub_account_id" {
  description = "The account in which driftguard runs."
  type        = string
  validation {
    condition     = can(regex("^\\d{12}$", var.hub_account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "hub_role_name" {
  description = "The role that driftguard runs as in the hub account."
  type        = string
  default     = "driftguard-service"
}

variable "external_id" {
  description = "The external id that driftguard presents (aws.external_id)."
  type        = string
  sensitive   = true
}

variable "create_roles" {
  description = "Make the (global) roles; only in one region of an account."
  type        = bool
  default     = true
}

variable "read_role_name" {
  description = "The name of the read role (aws.role_name)."
  type        = string
  default     = "driftguard-read"
}

variable "remediation" {
  description = "Make the role that can change things."
  type        = bool
  default     = false
}

variable "remediation_role_name" {
  description = "The name of the remediation role."
  type        = string
  default     = "driftguard-remediate"
}

variable "automation_role_arn" {
  description = "The role that SSM Automation assumes; the only one that may be passed."
  type        = string
  default     = null
}

variable "hub_event_bus_arn" {
  description = "The event bus of the hub account; null, nothing is forwarded."
  type        = string
  default     = null
}
