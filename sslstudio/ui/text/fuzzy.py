"""How well a few typed letters fit a title: for lists that one searches by typing."""

import unicodedata

START, NEXT, ANY = 8.0, 5.0, 1.0  # a letter at the start of a word, right after the one before, anywhere
WHOLE = 20.0  # three letters or more in one piece
LONG = 0.02  # taken off for each letter of the title, so that of equal fits the shortest comes first


def fold(text: str) -> str:
    """Lower case without accents: what is typed on another keyboard finds it too."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def fit(typed: str, title: str) -> float | None:
    """The fit, the higher the better; None when a word of what is typed is not in the title, letter by letter."""
    within, total = fold(title), 0.0
    for word in fold(typed).split():
        found = _fit_word(word, within)
        if found is None:
            return None
        total += found
    return total - LONG * len(within)


def _fit_word(word: str, within: str) -> float | None:
    """The best of what is found from each place at which the word may begin."""
    begins = [at for at, sign in enumerate(within) if sign == word[0]]
    return max((found for at in begins if (found := _fit_from(word, within, at)) is not None), default=None)


def _fit_from(word: str, within: str, begin: int) -> float | None:
    total, before = WHOLE if len(word) > 2 and within.startswith(word, begin) else 0.0, begin - 1
    for sign in word:
        at = within.find(sign, before + 1)
        if at < 0:
            return None
        starts = at == 0 or not within[at - 1].isalnum()
        follows = at == before + 1 and at > begin
        total += START if starts else NEXT if follows else ANY
        before = at
    return total
