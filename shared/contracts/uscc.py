"""The unified social credit code (统一社会信用代码) and its check character; a rule of the state, not of ours."""

from functools import lru_cache

# GB 32100-2015, table 1: the 31 characters in use (no I, O, S, V, Z) and, by position, their weights 3^i mod 31.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_WEIGHTS = tuple(pow(3, position, 31) for position in range(17))


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
def is_valid(code: str) -> bool:
    """Whether `code` is 18 characters of the alphabet and ends in the right check character."""
    try:
        return len(code) == 18 and check_character(code[:17]) == code[17]
    except ValueError:
        return False
