"""Delivered files: large ones, gzipped ones, notifications, and broken ones."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import InputError
from driftguard.live import ConfigurationItem, Rejected, files_in, items_of, read_file, read_stream


def item(number: int, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "AWS::SQS::Queue",
        "resourceId": f"queue-{number}",
        "awsRegion": "eu-west-1",
        "configuration": {"QueueName": f"queue-{number}", "Text": '{[\u00e9\ud55c"]}' * 20},
        **more,
    }


def snapshot(count: int) -> bytes:
    document = {
        "fileVersion": "1.0",
        "configSnapshotId": "x",
        "configurationItems": [item(n) for n in range(count)],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def ids(found: list[ConfigurationItem | Rejected]) -> list[str]:
    return [one.id for one in found if isinstance(one, ConfigurationItem)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_snapshot_is_read_item_by_item(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftguard.live.config_files._CHUNK", 997)  # cuts through items and characters
    path = tmp_path / ("s.json.gz" if packed else "s.json")
    path.write_bytes(gzip.compress(snapshot(50)) if packed else snapshot(50))
    assert ids(list(read_file(path))) == [f"queue-{n}" for n in range(50)]


def test_a_stream_that_cannot_be_rewound_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Body(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: Any) -> int:
            raise io.UnsupportedOperation

    assert len(list(read_stream(Body(gzip.compress(snapshot(3))), "s3://b/k"))) == 3


def test_the_rest_of_a_file_is_read_when_one_record_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    records = [item(1), {"resourceId": "x"}, 7, item(2, configuration="[]"), item(3)]
    path.write_text(json.dumps({"configurationItems": records}))
    found = list(read_file(path))
    assert ids(found) == ["queue-1", "queue-3"]
    assert [one.number for one in found if isinstance(one, Rejected)] == [2, 3, 4]


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_off_file_gives_its_items_and_then_says_where(
    tmp_path: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftguard.live.config_files._CHUNK", 997)
    path = tmp_path / "s.json"
    data = gzip.compress(snapshot(400)) if packed else snapshot(400)
    path.write_bytes(data[: len(data) * 2 // 3])
    found = []
    with pytest.raises(InputError, match=r"s\.json: is cut off") as caught:
        for one in read_file(path):
            found.append(one)
    assert ids(found)[:2] == ["queue-0", "queue-1"]
    assert f"after item {len(found)}" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"hello", "is not JSON"),
        (b'{"a": 1}', "holds no configuration items"),
        (b'{"configurationItems": []}', "holds no configuration items"),
        (b"\xff\xfe\x00bad", "is not UTF-8"),
        (b"\x1f\x8bbroken", "is cut off or damaged"),
    ],
)
def test_a_file_that_is_something_else_is_one_clear_sentence(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list(read_file(path))
    assert caught.value.where is not None
    assert caught.value.where.file == str(path)


def test_json_lines_and_their_faults(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text("\n".join(json.dumps(item(n)) for n in range(3)))
    assert len(list(read_file(path))) == 3
    path.write_text(json.dumps(item(1)) + "\n{broken\n")
    with pytest.raises(InputError, match=r"items\.jsonl:2"):
        list(read_file(path))


def test_items_inside_notifications_and_recorded_answers_are_found(tmp_path: Path) -> None:
    message = json.dumps({"messageType": "ConfigurationItemChangeNotification", "configurationItem": item(1)})
    path = tmp_path / "n.json"
    path.write_text(json.dumps({"Type": "Notification", "Message": message}))
    assert ids(list(read_file(path))) == ["queue-1"]
    path.write_text(json.dumps({"Results": [json.dumps(item(1)), json.dumps(item(2))]}))
    assert ids(list(read_file(path))) == ["queue-1", "queue-2"]


def test_the_item_of_an_event_is_found() -> None:
    event = {"source": "aws.config", "detail": {"messageType": "x", "configurationItem": item(1)}}
    assert ids(list(items_of(event))) == ["queue-1"]
    assert list(items_of({"source": "aws.cloudtrail", "detail": {}})) == []


def test_a_summary_is_not_taken_for_an_item(tmp_path: Path) -> None:
    """An item over 256 KB is announced by a summary; as an item it would look empty."""
    path = tmp_path / "n.json"
    summary = {key: value for key, value in item(1).items() if key != "configuration"}
    path.write_text(json.dumps({"configurationItemSummary": summary}))
    (found,) = read_file(path)
    assert isinstance(found, Rejected)
    assert "only a summary" in found.error


def test_a_folder_stands_for_its_files_and_a_missing_path_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.json.gz", "2.json", "readme.txt"):
        (tmp_path / name).write_bytes(b"{}")
    assert [path.name for path in files_in([tmp_path])] == ["2.json", "1.json.gz"]
    with pytest.raises(InputError, match="no such file"):
        list(files_in([tmp_path / "none"]))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_file(tmp_path / "none"))
