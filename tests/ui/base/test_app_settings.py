from pathlib import Path

import pytest

from sslstudio.ui.base import app_settings


def test_recent_folders_are_newest_first_and_exist(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder in folders:
        folder.mkdir()
        app_settings.add_recent(folder)
    app_settings.add_recent(folders[0])
    folders[1].rmdir()
    assert app_settings.recent_folders() == [str(folders[0]), str(folders[2])]


def test_a_project_takes_the_place_of_its_pictures(tmp_path: Path) -> None:
    for name in ("pictures", "project"):
        (tmp_path / name).mkdir()
    app_settings.add_recent(tmp_path / "pictures")
    app_settings.add_recent(tmp_path / "project", tmp_path / "pictures")
    assert app_settings.recent_folders() == [str(tmp_path / "project")]


def test_one_recent_folder_survives_the_ini_file(tmp_path: Path) -> None:
    app_settings.add_recent(tmp_path)
    assert app_settings.recent_folders() == [str(tmp_path)]


def test_where_runs_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_settings: Path) -> None:
    assert app_settings.home() == own_settings
    monkeypatch.delenv("SSLSTUDIO_HOME")
    assert app_settings.home().name == "SSL Studio"
    app_settings.set_home(tmp_path / "elsewhere")
    assert app_settings.home() == tmp_path / "elsewhere"
