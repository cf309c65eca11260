from pathlib import Path

import pytest

from sslstudio.ui import settings


def test_recent_folders_are_newest_first_and_exist(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
        settings.add_recent(folder)
    settings.add_recent(folders[0])
    folders[1].rmdir()
    assert settings.recent_folders() == [str(folders[0]), str(folders[2])]


def test_a_project_takes_the_place_of_its_pictures(tmp_path: Path) -> None:
    for name in ("pictures", "project"):
        (tmp_path / name).mkdir()
    settings.add_recent(tmp_path / "pictures")
    settings.add_recent(tmp_path / "project", tmp_path / "pictures")
    assert settings.recent_folders() == [str(tmp_path / "project")]


def test_one_recent_folder_survives_the_ini_file(tmp_path: Path) -> None:
    settings.add_recent(tmp_path)
    assert settings.recent_folders() == [str(tmp_path)]


def test_where_runs_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_settings: Path) -> None:
    assert settings.home() == own_settings
    monkeypatch.delenv("SSLSTUDIO_HOME")
    assert settings.home().name == "SSL Studio"
    settings.set_home(tmp_path / "elsewhere")
    assert settings.home() == tmp_path / "elsewhere"
