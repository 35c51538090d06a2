"""An output folder appears whole or not at all, and nothing of the user's is lost."""

import json
import os
import stat

import pytest

from bayesurv.data.faults import InputError
from bayesurv.report import folder
from bayesurv.report.folder import HIDDEN, MARK, check_output, staged


def run(out, **files):
    """Write files as a run does, each name with its text."""
    with staged(out) as staging:
        for name, text in files.items():
            (staging / name).write_text(text)
        mark = {"bayesurv": "0", "files": [*files, MARK]}
        (staging / MARK).write_text(json.dumps(mark))


def contents(out):
    return {p.name: p.read_text() for p in out.iterdir() if p.name != MARK}


def refused(out):
    with pytest.raises(InputError) as caught:
        check_output(out)
    [fault] = caught.value.faults
    return fault.message


def test_new_folder_appears_at_the_end(tmp_path):
    out = tmp_path / "deep" / "out"
    with staged(out) as staging:
        (staging / "a.csv").write_text("1")
        assert not out.exists()
        assert staging.name.startswith(HIDDEN)
    assert contents(out) == {"a.csv": "1"}
    assert os.listdir(out.parent) == ["out"]


def test_permissions_are_the_users(tmp_path):
    before = os.umask(0o077)
    try:
        run(tmp_path / "out", a="1")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_results_are_replaced_and_the_users_files_stay(tmp_path):
    out = tmp_path / "out"
    run(out, a="old", gone="old")
    (out / "notes.txt").write_text("mine")
    run(out, a="new", b="new")
    assert contents(out) == {"a": "new", "b": "new", "notes.txt": "mine"}


def test_an_existing_folder_is_written_from_inside(tmp_path):
    out = tmp_path / "mounted"
    out.mkdir()
    with staged(out) as staging:
        assert staging.parent == out
        (staging / "a").write_text("1")
    assert contents(out) == {"a": "1"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_stop_leaves_nothing(tmp_path, error):
    def stop(out):
        with staged(out) as staging:
            (staging / "a").write_text("new")
            raise error

    with pytest.raises(error):
        stop(tmp_path / "deep" / "out")
    assert os.listdir(tmp_path) == []
    run(tmp_path / "out", a="old")
    with pytest.raises(error):
        stop(tmp_path / "out")
    assert contents(tmp_path / "out") == {"a": "old"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(13, "is open in Excel", "b")])
def test_a_stop_while_replacing_is_undone(tmp_path, monkeypatch, error):
    out = tmp_path / "out"
    run(out, a="old", b="old")
    before = sorted(os.listdir(out))
    rename, calls = os.rename, []

    def stopping(source, target):
        calls.append(source)
        if len(calls) == 5:  # three were put aside, one is in place
            raise error
        rename(source, target)

    monkeypatch.setattr(folder.os, "rename", stopping)
    with pytest.raises((KeyboardInterrupt, InputError)) as caught:
        run(out, a="new", b="new")
    assert caught.type is KeyboardInterrupt or "is open in Excel: b" in str(caught.value)
    assert contents(out) == {"a": "old", "b": "old"}
    assert sorted(os.listdir(out)) == before


def test_the_mark_comes_last(tmp_path, monkeypatch):
    out = tmp_path / "out"
    run(out, a="old")
    targets, rename = [], os.rename
    monkeypatch.setattr(folder.os, "rename", lambda a, b: (targets.append(str(b)), rename(a, b)))
    run(out, z="new")
    assert targets[-1] == str(out / MARK)


@pytest.mark.parametrize("named", [["../precious"], ["/", ""], [".", ".."], "..", 3, {"": 1}])
def test_a_damaged_mark_removes_nothing_else(tmp_path, named):
    out = tmp_path / "out"
    (tmp_path / "precious").write_text("1")
    run(out, a="old")
    (out / "notes.txt").write_text("mine")
    (out / MARK).write_text(json.dumps({"bayesurv": "0", "files": named}))
    if named == 3:
        assert "did not write" in refused(out)
    else:
        run(out, a="new")
        assert contents(out) == {"a": "new", "notes.txt": "mine"}
    assert (tmp_path / "precious").exists()


def test_foreign_files(tmp_path):
    (tmp_path / "thesis.doc").write_text("1")
    message = f"output folder {tmp_path} holds files that bayesurv did not write"
    assert refused(tmp_path) == f"{message}; choose another with --out"


@pytest.mark.parametrize("text", ['{"tool": "another"}', "[]", "not JSON", "1"])
def test_a_mark_of_another_program_is_foreign(tmp_path, text):
    (tmp_path / MARK).write_text(text)
    assert "did not write" in refused(tmp_path)


def test_what_a_killed_run_left_is_not_foreign(tmp_path):
    (tmp_path / f"{HIDDEN}1234").mkdir()
    check_output(tmp_path)


@pytest.mark.parametrize("inside", ["", "/out", "/deep/out"])
def test_a_file_in_the_way(tmp_path, inside):
    (tmp_path / "file").write_text("1")
    message = refused(tmp_path / f"file{inside}")
    assert f"({tmp_path / 'file'} is a file); choose another with --out" in message


def test_a_folder_without_permission(tmp_path, monkeypatch):
    monkeypatch.setattr(folder.os, "access", lambda path, mode: False)
    assert f"(you may not write in {tmp_path}); choose another" in refused(tmp_path / "out")


def test_a_full_disk(tmp_path, monkeypatch):
    def full(*given, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder.Path, "mkdir", full)
    with pytest.raises(InputError, match="cannot be written .No space left on device.; choose"):
        run(tmp_path / "out", a="1")
