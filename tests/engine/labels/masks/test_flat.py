"""Whether files look like masks: decided as soon as it is sure, and as if all had been looked at."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from sslstudio.engine.labels.masks import flat


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_looking_ends_early_without_another_answer(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [Path(str(number)) for number in range(count)]
    for looks in product((True, False, None), repeat=count):
        left: Iterator[bool | None] = iter(looks)
        monkeypatch.setattr(flat, "_look", lambda _path, left=left: next(left))
        known = [one for one in looks if one is not None]
        assert flat.are_masks(files) == (any(known) and sum(known) >= 0.6 * len(known))


def test_photographs_are_not_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    def look(path: Path) -> bool:
        asked.append(path)
        return False

    monkeypatch.setattr(flat, "_look", look)
    assert not flat.are_masks([Path(str(number)) for number in range(100)])
    assert len(asked) == 3
