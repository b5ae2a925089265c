"""The only room that talks to AWS.

`Aws` turns settings into places (account and region); a `Place` holds one gateway per service, and a
gateway answers questions in plain values or raises the `AwsError` family of `driftguard.errors`.
"""

from driftguard.aws.config import Recorder
from driftguard.aws.place import Place
from driftguard.aws.session import Aws, Target
from driftguard.aws.sts import Identity

__all__ = ["Aws", "Identity", "Place", "Recorder", "Target"]
