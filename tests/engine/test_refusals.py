"""What is refused is said in a sentence that names what was asked, what was found and what to try."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from sslstudio.engine.core.config import with_settings
from sslstudio.engine.core.control import RunControl, to_end
from sslstudio.engine.core.errors import ConfigError, DataError, StudioError
from sslstudio.engine.dataset.groups import group_paths
from sslstudio.engine.dataset.split import Split
from sslstudio.engine.images.zip_archive import unpack
from sslstudio.engine.labels.editing.edits import edit_from_json
from sslstudio.engine.labels.masks.files import read_codes
from sslstudio.engine.runs.label_decisions import decide
from sslstudio.engine.training.config import PretrainConfig

PATHS = ["a/1.png", "b/2.png"]
CASES: dict[str, tuple[Callable[[], object], type[StudioError], str]] = {
    "no rule": (lambda: group_paths(PATHS, "by hand"), ConfigError, "is not a rule for what belongs together"),
    "a rule for nothing": (lambda: group_paths(PATHS, "folder:9"), ConfigError, "fits no picture, for example not a/1"),
    "a broken pattern": (lambda: group_paths(PATHS, "name:("), ConfigError, r"groups = 'name:\(' is not a pattern"),
    "an empty pattern": (lambda: group_paths(PATHS, "name:"), ConfigError, "groups = 'name:' has no pattern"),
    "a split without parts": (lambda: Split.from_json({"train": []}), DataError, "split has no validation, test: it"),
    "a setting without a value": (
        lambda: with_settings(PretrainConfig(out="x"), ["epochs"]),
        ConfigError,
        "--set epochs is not KEY=VALUE. For",
    ),
    "no decision": (lambda: decide(Path(), "a.png", "x", "y", "perhaps"), DataError, "'perhaps' is no decision: "),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_said_what_is_wrong(name: str) -> None:
    do, kind, said = CASES[name]
    with pytest.raises(kind, match=said):
        do()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"edit": "paint"}, "no edit of labels: paint"),
        ({"edit": "class", "kind": "boxes", "number": 1, "after": None}, "no kind of labels: boxes"),
    ],
)
def test_lines_of_a_journal_that_are_none(line: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        edit_from_json(line)


def test_a_mask_in_three_dimensions(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 4, 5), np.int64), photometric="minisblack")
    with pytest.raises(DataError, match=r"The mask a\.tif has the shape 3, 4, 5, not height and width"):
        read_codes(tmp_path / "a.tif", as_colours=False)


def test_an_archive_with_a_password(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", b"x")
    content = bytearray(file.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    file.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"a\.zip needs a password\. Unpack it yourself and drop the folder"):
        to_end(unpack(file, tmp_path / "home", RunControl()))
