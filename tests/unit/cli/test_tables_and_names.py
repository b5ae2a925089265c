"""What a person types and reads on a terminal: names that mean one thing, tables that show every column."""

from __future__ import annotations

from collections.abc import Sequence

import click
import pytest

from driftguard.cli.decisions import one_resource
from driftguard.cli.root import run
from driftguard.cli.tables import laid_out, table
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


FINDINGS = ("SEVERITY", "STATUS", "WHAT", "TYPE", "RESOURCE", "ACCOUNT", "STACK", "SINCE", "WHO", "ID")
WIDTHS = (13, 10, 90, 40, 60, 12, 70, 10, 30, 12)


@pytest.mark.parametrize("wide", [40, 60, 80, 120, 200])
def test_every_column_keeps_a_place_on_the_terminal(wide: int) -> None:
    """An id or an account that is cut cannot be typed: what finds no place beside the others goes below them."""
    lines = laid_out(FINDINGS, WIDTHS, wide)
    assert [column for line in lines for column, _ in line] == list(range(len(FINDINGS)))
    for number, line in enumerate(lines):
        assert sum(width for _, width in line) + 2 * (len(line) - 1) + 4 * (number > 0) <= wide
    widths = dict(pair for line in lines for pair in line)
    for column, header in enumerate(FINDINGS):
        assert widths[column] == WIDTHS[column] or (
            header not in ("SEVERITY", "STATUS", "ACCOUNT", "ID", "SINCE") and widths[column] >= 20
        )


def test_a_wide_terminal_cuts_nothing_and_keeps_a_row_on_one_line() -> None:
    assert laid_out(FINDINGS, WIDTHS, 400) == [list(enumerate(WIDTHS))]


@pytest.mark.parametrize("wide", [80, 120])
def test_a_terminal_shows_the_whole_id_and_a_pipe_one_line_a_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wide: int
) -> None:
    cells = [letter * width for letter, width in zip("abcdefghij", WIDTHS, strict=True)]
    table(FINDINGS, [cells], "nothing")
    assert capsys.readouterr().out.splitlines()[1] == "  ".join(cells)
    monkeypatch.setenv("COLUMNS", str(wide))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    table(FINDINGS, [cells], "nothing")
    lines = click.unstyle(capsys.readouterr().out).splitlines()
    assert all(len(line) <= wide for line in lines)
    assert any(line.endswith("j" * 12) for line in lines) and any("f" * 12 in line for line in lines)


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["scann"]) == 2
    assert "Did you mean `scan`?" in capsys.readouterr().err
    assert run(["xyz"]) == 2
    assert "Did you mean" not in capsys.readouterr().err
