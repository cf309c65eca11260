"""No cell that is written begins a formula, and each is read back as it was."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from sslstudio.engine.core.files.spreadsheet import FORMULA, as_meant, harmless, read_rows


@given(st.text())
def test_a_text_comes_back_and_begins_no_formula(text: str) -> None:
    written = harmless(text)
    if not text.startswith("'"):  # one that a person wrote with an apostrophe before a formula loses it
        assert as_meant(written) == text
    assert not written.startswith(FORMULA) or float(written.replace(",", ".")) is not None


def test_formulas_are_texts_and_numbers_stay() -> None:
    assert [harmless(one) for one in ("=1+1", "@a", "-x.png", "-0.5", "-0,5", -0.5, "cat")] == [
        "'=1+1", "'@a", "'-x.png", "-0.5", "-0,5", -0.5, "cat",
    ]  # fmt: skip


def test_rows_are_read_as_they_were_meant() -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["file", harmless("=class")], [harmless("-1.png"), "cat"]])
    assert read_rows(text.getvalue().splitlines()) == [{"file": "-1.png", "=class": "cat"}]
