"""Messages of the command line in the language of the terminal."""

import os

from deploy.common.trouble import Trouble
from shared.messages.catalogue import text

SETTINGS = ("LIAISON_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def tongue() -> str:
    """Return `zh` for a Chinese terminal, else `en`: other terminals may not show the characters."""
    chosen = next((value for name in SETTINGS if (value := os.environ.get(name))), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def say(key: str, **params: object) -> str:
    """Return the message `deploy.<key>` in the terminal's language."""
    return text(f"deploy.{key}", tongue(), **params)


def say_trouble(trouble: Trouble) -> tuple[str, str]:
    """Return the two messages of a Trouble: the problem and its remedy."""
    key = f"trouble.{trouble.key}"
    return say(f"{key}.what", **trouble.params), say(f"{key}.mend", **trouble.params)
