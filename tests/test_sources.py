"""Where PEPs are read from: whatever lies there, each source is told, and none in another's place."""

import os
from pathlib import Path

import pytest

from pepforms import sources
from pepforms.check.reading import LARGEST


def told(*paths: str) -> list[tuple[str, str]]:
    """Name of each source, with its data or the sentence that says why there is none."""
    found = list(sources.read(paths))
    assert sources.count(paths) == len(found)
    return [(source.name, str(source.error) if source.error else source.data.decode()) for source in found]


def test_files_of_a_folder_and_its_sub_folders_come_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/1.json", "a.json", "c.jsonl", "readme.txt"):
        (tmp_path / name).write_text("{}\n\n{}" if name.endswith("l") else "{}")
    names = [name.removeprefix(f"{tmp_path}/") for name, _ in told(str(tmp_path))]
    assert names == ["a.json", "b/1.json", "c.jsonl#1", "c.jsonl#3"]


def test_a_line_that_is_too_long_does_not_shift_the_numbers_of_later_ones(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"{}\n" + b"x" * (2 * LARGEST) + b"\n{}\n")
    found = list(sources.read([str(file)]))
    assert [source.name.rpartition("#")[2] for source in found] == ["1", "2", "3"]
    assert [len(source.data) for source in found] == [3, LARGEST + 1, 3]
    assert sources.count([str(file)]) == 3


def test_what_holds_nothing_says_so(tmp_path: Path) -> None:
    for name in ("empty.json", "empty.jsonl"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert told(*(str(tmp_path / name) for name in ("empty.json", "empty.jsonl", "folder"))) == [
        (f"{tmp_path}/empty.json", f"{tmp_path}/empty.json holds nothing to read."),
        (f"{tmp_path}/empty.jsonl", f"{tmp_path}/empty.jsonl holds no line to read."),
        (f"{tmp_path}/folder", f"{tmp_path}/folder holds no .json or .jsonl file."),
    ]


def test_a_pipe_named_like_a_pep_is_no_file_and_a_folder_named_like_one_is_a_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "folder.json" / "a.json").write_text("{}")
    assert told(str(tmp_path)) == [
        (f"{tmp_path}/folder.json/a.json", "{}"),
        (f"{tmp_path}/pipe.json", f"{tmp_path}/pipe.json is not a file that can be read."),
    ]


def test_a_path_that_is_not_there_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    missing = str(tmp_path / "b.json")
    assert told(missing, str(tmp_path / "a.json")) == [
        (missing, f"{missing} cannot be read: no such file or directory."),
        (f"{tmp_path}/a.json", "{}"),
    ]


def test_a_sub_folder_that_cannot_be_opened_is_told_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(25):  # deeper than the longest path that may be opened, even by an administrator
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    found = list(sources.read([str(tmp_path)]))
    assert [source.error.slug for source in found if source.error] == ["unreadable-path"]
    assert "file name too long" in str(found[0].error)


def test_one_source_is_read_again_by_its_name(tmp_path: Path) -> None:
    lines = tmp_path / "many.jsonl"
    lines.write_text('{"a":1}\n\n{"a":3}\n')
    assert sources.again(f"{lines}#3") == sources.Source(f"{lines}#3", b'{"a":3}\n')
    for gone in (f"{lines}#2", str(tmp_path / "nothing.json")):
        assert str(sources.again(gone).error) == f"{gone} cannot be read again: it is not there any more."


def test_what_held_nothing_and_holds_something_now_is_not_called_gone(tmp_path: Path) -> None:
    folder, lines = tmp_path / "folder", tmp_path / "many.jsonl"
    folder.mkdir()
    assert str(sources.again(str(folder)).error) == f"{folder} holds no .json or .jsonl file."
    (folder / "a.json").write_text("{}")
    lines.write_text("{}\n")
    for filled in (str(folder), str(lines)):
        told = f"{filled} holds PEPs by now that it did not hold before: they must be asked for anew."
        assert str(sources.again(filled).error) == told
    assert str(sources.again("-").error) == "Standard input cannot be read again: give what it held to a new batch run."
