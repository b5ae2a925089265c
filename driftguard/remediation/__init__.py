"""Remediation: a plan as data, guards before it, waves while it runs, verification and rollback after it.

Planning is pure and read-only.  What changes AWS is done by `driftguard.remediation.runner` alone, and only
for a plan that was approved, has not expired, and whose resources have not moved since.
"""

from driftguard.remediation.material import Material, TemplateText
from driftguard.remediation.plan import plan
from driftguard.remediation.remedies import Remedies, load_remedies
from driftguard.remediation.wishes import Wishes

__all__ = ["Material", "Remedies", "TemplateText", "Wishes", "load_remedies", "plan"]
