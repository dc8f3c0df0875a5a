"""Folds text, so that what people write in different ways is compared as the same; what is stored stays as written."""

import re
import unicodedata
from typing import Final

_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, marks of annotations and the blank of braille: nothing is seen of them."""

_INVISIBLE: Final = re.compile(f"[{_IGNORABLE}]")
_SPACES: Final = re.compile(r"\s+")
# Most texts show within a few characters that there is something to see.
_PLAINLY_VISIBLE: Final = re.compile(
    "[!-~\u00a1-\u00ac\u00ae-\u02ff\u3005-\u3029\u3041-\u3096\u4e00-\u9fff]"
)
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_HYPHENS: Final = re.compile("[-\u2010-\u2015\u2043\u2212\u00b7.]")
_UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Mn", "Mc", "Me"})
_MOST_ROUNDS: Final = 4


def fold(text: str) -> str:
    """`text` for comparing: NFKC and case folded, without invisible characters, one space for a run of them.

    Full-width letters, Kangxi radicals, ligatures, variation selectors and zero-width joiners make no difference.
    Folding what is folded changes nothing.
    """
    if text.isascii():
        return " ".join(text.casefold().split())
    for _ in range(_MOST_ROUNDS):
        folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).casefold()
        if folded == text:
            break
        text = folded
    return _SPACES.sub(" ", text).strip()


def compact(text: str) -> str:
    """The same without any space: for names, labels and keywords, whose spaces are a matter of taste."""
    text = fold(text)
    while " " in text:
        # A space may have kept an accent from the letter before it.
        text = fold(text.replace(" ", ""))
    return text


def code(text: str) -> str:
    """A code in its one form: folded, in capital letters, without spaces, hyphens and dots."""
    capitals = compact(_HYPHENS.sub("", fold(text))).upper()
    # A small letter without a capital of its own (ı with an ogonek) folds to another letter by way of its capital.
    return capitals if capitals.isascii() else compact(capitals).upper()


def identifier(text: str) -> str:
    """An id as it was meant: half-width, without invisible characters and spaces around; its case stays."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).strip()


def is_visible(text: str) -> bool:
    """Whether anything of the text can be seen: it is more than spaces, joiners, fillers, selectors and accents."""
    if _PLAINLY_VISIBLE.search(text):
        return True
    return any(unicodedata.category(each) not in _UNSEEN for each in _INVISIBLE.sub("", text))


def turns_text_round(text: str) -> bool:
    """Whether the text has controls that override or embed a direction: what follows would read the other way."""
    return _BIDI.search(text) is not None
