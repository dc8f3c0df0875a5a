"""The unified social credit code (统一社会信用代码) and its check character; a rule of the state, not of ours."""

from functools import lru_cache

from shared.contracts.fields import folding

# GB 32100-2015, table 1: the 31 characters in use (no I, O, S, V, Z) and, by position, their weights 3^i mod 31.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))

LENGTH = 18


def check_character(body: str) -> str:
    """The 18th character for the first 17 (GB 32100-2015, appendix B).

    Raises ValueError when `body` is not 17 characters of the code's alphabet.
    """
    if len(body) != 17 or any(character not in _VALUE for character in body):
        raise ValueError(
            "the first 17 characters must be digits or capital letters other than I, O, S, V, Z"
        )
    total = sum(
        weight * _VALUE[character] for weight, character in zip(_WEIGHTS, body, strict=True)
    )
    return _ALPHABET[(31 - total % 31) % 31]


@lru_cache(maxsize=8192)
def canonical(text: str) -> str:
    """`text` as a code is kept: half-width capitals and digits, without spaces, hyphens and invisible characters."""
    return folding.code(text)


@lru_cache(maxsize=8192)
def broken_rule(code: str) -> str | None:
    """Which rule a code in its kept form breaks: `length`, `alphabet` or `check`; None for a right one."""
    if len(code) != LENGTH:
        return "length"
    if any(character not in _VALUE for character in code):
        return "alphabet"
    return None if check_character(code[:17]) == code[17] else "check"


def is_valid(code: str) -> bool:
    """Whether `code` is 18 characters of the alphabet and ends in the right check character."""
    return broken_rule(code) is None
