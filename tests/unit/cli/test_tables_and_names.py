"""What a person types and reads on a terminal: names that mean one thing, tables that show every column."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from driftguard.cli.decisions import one_resource
from driftguard.cli.root import run
from driftguard.cli.tables import fitted
from driftguard.errors import InputError
from driftguard.model import ResourceKey


class Known:
    """A store that knows some resources by one name."""

    def __init__(self, *types: str) -> None:
        self.keys = [
            ResourceKey(account="111111111111", region="us-east-1", type=one, identifier="shop")
            for one in types
        ]

    def find_keys(self, text: str) -> Sequence[ResourceKey]:
        return self.keys if text == "shop" else []


def named(*types: str) -> str:
    return one_resource(Known(*types), "shop").type  # type: ignore[arg-type]  # all that is asked of a store


def test_a_name_means_the_resource_and_not_what_lies_on_it() -> None:
    assert named("AWS::S3::BucketPolicy", "AWS::S3::Bucket") == "AWS::S3::Bucket"
    assert named("AWS::S3::BucketPolicy") == "AWS::S3::BucketPolicy"


def test_a_name_of_several_things_is_asked_back_one_a_line() -> None:
    with pytest.raises(InputError) as caught:
        named("AWS::ECS::Cluster", "AWS::CodeBuild::Project")
    assert str(caught.value).splitlines()[0].endswith("names 2 resources. Give one of these:")
    assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(InputError, match="no resource is known as 'shop'"):
        named()


@pytest.mark.parametrize("wide", [60, 80, 140])
def test_every_column_keeps_a_place_on_the_terminal(wide: int) -> None:
    widths = fitted([8, 30, 200, 12, 64], wide)
    assert sum(widths) + 2 * 4 <= wide
    assert widths[0] == 8 or wide == 60
    assert all(width >= 6 for width in widths)


def test_a_wide_terminal_cuts_nothing() -> None:
    assert fitted([8, 30, 200], 400) == [8, 30, 200]


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["scann"]) == 2
    assert "Did you mean `scan`?" in capsys.readouterr().err
    assert run(["xyz"]) == 2
    assert "Did you mean" not in capsys.readouterr().err
