"""Live state: what is there, in CloudFormation's shape, with what each source can show.

`read_place` streams one account and region; `read_file` reads what AWS Config delivered, without AWS.
"""

from driftguard.live.account import ACCOUNT, read_account
from driftguard.live.aggregate import read_aggregate
from driftguard.live.canonical import state_hash
from driftguard.live.config_files import Rejected, distinct, files_in, items_of, read_file, read_stream
from driftguard.live.config_items import ConfigurationItem, parse_item
from driftguard.live.config_results import ConfigResults, read_config_results
from driftguard.live.delivered import latest_snapshot, read_delivered
from driftguard.live.mapping import narrowed, resource_of
from driftguard.live.snapshot import Deletion, ReadOptions, Seen, read_place

__all__ = [
    "ACCOUNT",
    "ConfigResults",
    "ConfigurationItem",
    "Deletion",
    "ReadOptions",
    "Rejected",
    "Seen",
    "distinct",
    "files_in",
    "items_of",
    "latest_snapshot",
    "narrowed",
    "parse_item",
    "read_account",
    "read_aggregate",
    "read_config_results",
    "read_delivered",
    "read_file",
    "read_place",
    "read_stream",
    "resource_of",
    "state_hash",
]
