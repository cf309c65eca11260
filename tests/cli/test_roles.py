"""What is what on a command line: listed with reasons, overridden, and labels looked for where one stands."""

import json
from pathlib import Path

import pytest
from PIL import Image

from sslstudio.cli.config_args import config_by, labels_path, roles_of
from sslstudio.cli.main import main, parser
from sslstudio.engine.core.config import option_at, parse_value, value_text
from sslstudio.engine.core.errors import ConfigError
from sslstudio.engine.report.command_line import COMMANDS, command_words
from sslstudio.engine.training.config import DataConfig, PretrainConfig


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(8):
        for kind in ("a", "b"):
            (tmp_path / f"data/{kind}").mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16, 16), (9 * number, 50, 90)).save(tmp_path / f"data/{kind}/{kind}{number}.png")
    return tmp_path / "data"


def index_of(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, object]:
    assert main([*map(str, words), "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_index_lists_roles_and_takes_others(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = index_of(capsys, "index", folder, "--side", 16)
    roles = {one["path"]: one for one in found["roles"]}  # type: ignore[attr-defined]
    assert (roles["a"]["role"], roles["a"]["count"], roles["a"]["chosen"]) == ("class", 8, False)
    assert roles["a"]["reason"] == "Pictures lie in folders of different names."
    assert set(roles["a"]["choices"]) >= {"masks", "group", "ignore"}
    other = index_of(capsys, "index", folder, "--side", 16, "--role", "*=group", "--role", "a=ignore")
    assert (other["pictures"], other["classes"], other["groups"]) == (8, {}, 1)
    assert main(["index", str(folder), "--side", "16"]) == 0
    said = capsys.readouterr().out
    assert "What is what" in said
    assert "a/  class (8): Pictures lie in folders of different names." in said


def test_wrong_roles_are_told_in_words(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", str(folder), "--role", "a=clas"]) == 2
    assert "Did you mean 'class'?" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="is not PATH=ROLE"):
        roles_of(["masks"])


def test_labels_are_looked_for_from_the_working_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{kind}{number}.png,{'xy'[number % 2]}" for kind in "ab" for number in range(8)]
    (tmp_path / "here.csv").write_text("\n".join(rows))
    (folder / "there.csv").write_text("\n".join(rows).replace("x", "z"))
    monkeypatch.chdir(tmp_path)
    assert labels_path("here.csv") == str(tmp_path / "here.csv")
    assert index_of(capsys, "index", folder, "--side", 16, "--labels", "here.csv")["classes"] == {"x": 8, "y": 8}
    assert index_of(capsys, "index", folder, "--side", 16, "--labels", "there.csv")["classes"] == {"y": 8, "z": 8}


@pytest.mark.parametrize("name", ["grade=2", "a;b", 'say "x"', "a=b;c=d"])
def test_any_name_of_a_folder_can_get_a_role(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("good", "bad", name):
        for number in range(4):
            (tmp_path / kind).mkdir(exist_ok=True)
            Image.new("RGB", (16, 16), (9 * number, 50, 90)).save(tmp_path / kind / f"{kind[0]}{number}.png")
    found = index_of(capsys, "index", tmp_path, "--side", 16, "--role", f"{name}=ignore")
    assert found["classes"] == {"bad": 4, "good": 4}
    command = next(one for one in COMMANDS if one.name == "pretrain")
    words = ["pretrain", str(tmp_path), "--role", f"{name}=ignore", "--role", "bad=group", "--out", "x"]
    config = config_by(command, parser().parse_args(words))
    assert isinstance(config, PretrainConfig)
    assert dict(config.data.roles) == {name: "ignore", "bad": "group"}
    field = option_at(DataConfig, "roles")
    assert parse_value(field, value_text(config.data.roles)) == config.data.roles
    again = parser().parse_args(list(map(str, command_words(config, command))))
    assert config_by(command, again) == config
