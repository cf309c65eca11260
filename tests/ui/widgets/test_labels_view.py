"""What the labels that were found say, and what it costs to say it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sslstudio.engine.core.messages import plain
from sslstudio.engine.images.index import ImageIndex
from sslstudio.engine.labels.masks.coding import MaskCoding
from sslstudio.engine.labels.types import ClassLabels, MaskLabels, Recognised
from sslstudio.ui.widgets.labels_view import lacks_labels


class Watched(dict[str, Any]):
    """A dict that notes how often all of it was looked at."""

    looked = 0

    def keys(self) -> Any:
        self.looked += 1
        return super().keys()

    def __iter__(self) -> Any:
        self.looked += 1
        return super().__iter__()


@pytest.mark.parametrize(
    ("classed", "masked", "expected"), [("ab", "bc", 3), ("ab", None, 2), (None, "bc", 2), (None, None, 0)]
)
def test_labelled_pictures_are_counted_once_however_often_it_is_asked(
    tmp_path: Path, classed: str | None, masked: str | None, expected: int
) -> None:
    of, masks = Watched(dict.fromkeys(classed or "", 0)), Watched(dict.fromkeys(masked or "", "mask"))
    found = Recognised(
        ImageIndex.of(tmp_path, "abcd"),
        None if classed is None else ClassLabels(plain("folders"), ("cat",), of),
        None if masked is None else MaskLabels(plain("masks"), ("background", "cat"), masks, MaskCoding("ids", (0, 1))),
        {},
    )
    assert [lacks_labels(found) for _ in range(50)] == [True] * 50
    assert found.labelled == expected
    assert max(of.looked, masks.looked) <= 1
    assert not lacks_labels(replace(found, pictures=found.pictures.subset(list("abcd"[:expected]))))
