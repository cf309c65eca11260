"""Proposals that anybody may have written: a mask of any size, or none at all."""

import json
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.engine.core.errors import RunError
from sslstudio.engine.runs.proposals import Proposals, read_proposals, read_proposed_mask


def proposals(folder: Path, mask: str = "a.png", about: object = None) -> Proposals:
    known = {"classes": ["background", "cell"], "kind": "segmentation", "run": "/runs/first", "folder": "/x"}
    (folder / "about.json").write_text(json.dumps(known if about is None else about))
    line = json.dumps({"file": "0.png", "mask": mask, "confidence": 0.5})
    (folder / "answers.jsonl").write_text(line + "\n")
    return read_proposals(folder)


def test_a_mask_comes_in_the_numbers_of_the_labels(tmp_path: Path) -> None:
    values = np.array([[0, 1], [1, 7]], np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    found = proposals(tmp_path)
    assert (found.run, found.kind, found.classes) == ("first", "segmentation", ("background", "cell"))
    assert read_proposed_mask(found.of["0.png"], {1: 4}).tolist() == [[0, 4], [4, 0]]


@pytest.mark.parametrize("side", [20_000, 60_000])
def test_a_mask_that_says_to_be_huge_is_refused_before_it_is_decoded(tmp_path: Path, side: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(99))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(RunError, match=r"The proposed mask of 0\.png cannot be read"):
            read_proposed_mask(proposals(tmp_path).of["0.png"], {})


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_a_mask_that_is_gone_or_damaged_is_said(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(RunError, match=r"The proposed mask of 0\.png cannot be read"):
        read_proposed_mask(proposals(tmp_path).of["0.png"], {})


def test_a_mask_elsewhere_is_no_proposal(tmp_path: Path) -> None:
    assert not proposals(tmp_path, "../secret.png").of


@pytest.mark.parametrize("about", [[], {"classes": "cell"}, {}])
def test_proposals_without_classes_are_refused(tmp_path: Path, about: object) -> None:
    with pytest.raises(RunError, match=r"The proposals in .* cannot be read: about\.json is damaged"):
        proposals(tmp_path, about=about)
