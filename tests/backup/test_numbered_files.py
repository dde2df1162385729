"""The backup folder: numbered files, the newest whole one counts."""

import pytest

from kerasopt._core.files import DamagedFileError
from kerasopt.backup.numbered_files import BackupFiles


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    files = BackupFiles(tmp_path, keep=2)
    files.prepare()
    assert files.newest() is None
    for epoch in range(4):
        files.write({"epoch": epoch})
    assert names(tmp_path) == ["backup-00000003.npz", "backup-00000004.npz"]
    assert files.newest() == (tmp_path / "backup-00000004.npz", {"epoch": 3})
    assert BackupFiles(tmp_path, keep=1).newest()[1] == {"epoch": 3}


def test_a_damaged_one_is_named_and_the_one_before_is_taken(tmp_path):
    files = BackupFiles(tmp_path, keep=2)
    files.prepare()
    for epoch in range(3):
        files.write({"epoch": epoch})
    (tmp_path / "backup-00000003.npz").write_bytes(b"PK half")
    with pytest.warns(UserWarning, match=r"backup-00000003.npz' is damaged.*before it is taken"):
        assert files.newest()[1] == {"epoch": 1}
    # The damaged one is no longer counted: two whole ones are there again after the next.
    files.write({"epoch": 2})
    whole = ["backup-00000002.npz", "backup-00000003.npz"]
    assert names(tmp_path) == [*whole[:1], "backup-00000003.damaged", *whole[1:]]
    assert files.newest()[1] == {"epoch": 2}
    (tmp_path / "backup-00000003.npz").write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert files.newest()[1] == {"epoch": 1}
    files.delete()
    assert not tmp_path.exists()


def test_all_damaged_is_an_error_that_says_what_to_do(tmp_path):
    files = BackupFiles(tmp_path, keep=2)
    files.prepare()
    files.write({"epoch": 0})
    (tmp_path / "backup-00000001.npz").write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(DamagedFileError, match=r"backup-00000001.npz.*Remove the folder"),
    ):
        files.newest()


def test_what_a_killed_process_left_half_written_goes(tmp_path):
    files = BackupFiles(tmp_path / "new" / "folder", keep=2)
    files.prepare()
    (files.folder / ".backup-00000001-x3f.npz").write_bytes(b"half")
    files.write({"epoch": 0})
    files.prepare()
    assert names(files.folder) == ["backup-00000001.npz"]


def test_only_its_own_files_are_deleted(tmp_path):
    files = BackupFiles(tmp_path / "run", keep=2)
    files.prepare()
    files.write({"epoch": 0})
    (files.folder / "notes.txt").write_text("mine")
    files.delete()
    assert names(files.folder) == ["notes.txt"]
    (files.folder / "notes.txt").unlink()
    files.delete()
    assert not files.folder.exists()


@pytest.mark.parametrize(
    ("folder", "error"), [(3, TypeError), (None, ValueError), ("", ValueError)]
)
def test_wrong_folders(folder, error):
    with pytest.raises(error, match="`backup_dir`"):
        BackupFiles(folder, keep=2)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="`backup_dir`.*a folder"):
        BackupFiles(tmp_path / "file", keep=2)
