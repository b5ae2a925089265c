"""Guards: each refuses for one reason, before the first call.

`whole_plan` looks at the plan, `planning` at a step while the plan is made (pure), `start` again at the moment
of the start, with what AWS says then.  A guard answers a sentence when it refuses, and an empty text otherwise.
"""

from driftguard.remediation.guards.planning import PLANNED, Planned, planned_refusal
from driftguard.remediation.guards.start import STARTED, Starting, refusal
from driftguard.remediation.guards.whole_plan import approved, plan_refusals

__all__ = [
    "PLANNED",
    "STARTED",
    "Planned",
    "Starting",
    "approved",
    "plan_refusals",
    "planned_refusal",
    "refusal",
]
