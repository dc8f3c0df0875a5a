"""An error in words: a key of the message catalogue with its values."""


class Trouble(Exception):
    """A fault that a person can mend; `key` names two messages, what it is and what to do."""

    def __init__(self, key: str, **params: object) -> None:
        super().__init__(f"{key} {params}" if params else key)
        self.key = key
        self.params = params
