"""The CloudFormation registry index: what AWS says about the properties of each resource type.

Identity, read-only, write-only and create-only places, list order, defaults, enumerations, transforms, tags and
the IAM actions of every handler.  The index is compiled from the published registry schemas at build time
(`driftguard.schema.build`) and read lazily: opening takes milliseconds, a type less than one.
"""

from driftguard.schema.accounts import registry_of, schemas_of, use_folder
from driftguard.schema.registry import Registry, registry
from driftguard.schema.types import Node, TypeSchema, normalised, split_pointer

__all__ = [
    "Node",
    "Registry",
    "TypeSchema",
    "normalised",
    "registry",
    "registry_of",
    "schemas_of",
    "split_pointer",
    "use_folder",
]
