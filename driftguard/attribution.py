"""Who changed it: CloudTrail events matched to property changes."""
