"""The search for cycles is off within, and afterwards as it was before; damaged rows are no rows."""

import contextlib
import gc
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from sslstudio.engine.core.control import to_end
from sslstudio.engine.images.cache.pixel_cache import build_cache
from sslstudio.engine.images.cache.store import TABLE, Row, _row_of, garbage_collection_put_off, peek
from sslstudio.engine.images.index import file_at, scan


def test_it_is_off_within_and_on_again_even_after_an_error() -> None:
    assert gc.isenabled()
    with garbage_collection_put_off():
        with pytest.raises(KeyError), garbage_collection_put_off():
            raise KeyError(gc.isenabled())
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_off_stays_off() -> None:
    gc.disable()
    try:
        with garbage_collection_put_off():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_row_with_a_damaged_value_is_none() -> None:
    whole = (b"a.png", 10, "1600000000000000000", 3, 20, 30, "", "", 7)
    assert _row_of(*whole) == Row("a.png", 10, 1_600_000_000_000_000_000, 3, 20, 30, checksum=7)
    for place, value in ((2, "1w64500000000000000"), (3, "three"), (1, None), (0, 5), (8, b"x")):
        assert _row_of(*(value if at == place else one for at, one in enumerate(whole))) is None


def test_a_picture_with_a_damaged_row_is_decoded_again(tmp_path: Path) -> None:
    pictures, cache = tmp_path / "pictures", tmp_path / "cache"
    pictures.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 40), (90 * number, 0, 0)).save(pictures / f"{number}.png")
    to_end(build_cache(scan(pictures), 32, cache_dir=cache))
    (file,) = cache.rglob(TABLE)
    with sqlite3.connect(file) as table:
        table.execute("UPDATE pictures SET mtime_ns = '1w6' WHERE path = ?", (b"1.png",))
    table.close()
    for _ in range(2):
        built = to_end(build_cache(scan(pictures), 32, cache_dir=cache))
        assert built.index.paths == ["0.png", "1.png", "2.png"]
        assert built.pixels([1])[0, :, 0, 0].tolist() == [90, 0, 0]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER harm AFTER INSERT ON pictures BEGIN DELETE FROM pictures; END",
        "CREATE VIEW more AS SELECT * FROM pictures",
        "ALTER TABLE pictures ADD COLUMN more INTEGER CHECK (length(path) < 9)",
    ],
)
def test_a_table_with_more_in_it_than_ours_is_made_anew(tmp_path: Path, statement: str) -> None:
    """A view or a trigger of somebody else's would be carried out in this process, without end."""
    (tmp_path / "pictures").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (number * 9, 0, 0)).save(tmp_path / "pictures" / f"{number}.png")
    index = scan(tmp_path / "pictures")
    to_end(build_cache(index, 8, cache_dir=tmp_path / "cache"))
    (file,) = (tmp_path / "cache").rglob(TABLE)
    with contextlib.closing(sqlite3.connect(file)) as table:
        table.execute(statement)
        table.commit()
    assert peek(file.parent, 8, [file_at(index.root, path) for path in index.paths]) == {}
    cache = to_end(build_cache(index, 8, cache_dir=tmp_path / "cache"))
    assert cache.pixels([0, 1, 2])[:, 0, 0, 0].tolist() == [0, 9, 18]
    with contextlib.closing(sqlite3.connect(file)) as table:
        assert [name for (name,) in table.execute("SELECT name FROM sqlite_master WHERE sql IS NOT NULL")] == [
            "pictures"
        ]
