"""The use case: read everything, decide purely, write once.

`scan` is the three paragraphs; `read` brings all that is needed, `decide` turns it into a `Report` without
looking outside again, and the store records that report in one transaction.
"""

from driftguard.scan.job import Job, new_run_id, scan
from driftguard.scan.progress import Progress, Silent

__all__ = ["Job", "Progress", "Silent", "new_run_id", "scan"]
