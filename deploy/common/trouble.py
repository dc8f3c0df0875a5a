"""Trouble: an error described by a key of the message catalogue and its values."""


class Trouble(Exception):
    """An error that an operator can fix; `key` names two messages, the problem and its remedy."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(f"{key} {params}" if params else key)
        self.key = key
        self.params = params
