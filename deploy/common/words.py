"""Messages of the command line in the language of the terminal."""

import os

from deploy.common.trouble import Trouble
from shared.messages.catalogue import text

SETTINGS = ("LIAISON_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def tongue() -> str:
    """`zh` where the terminal is Chinese, else `en`: other terminals may not show the characters."""
    chosen = next((value for name in SETTINGS if (value := os.environ.get(name))), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def say(key: str, **params: object) -> str:
    """The launcher's message of that key."""
    return text(f"deploy.{key}", tongue(), **params)


def say_trouble(trouble: Trouble) -> tuple[str, str]:
    """What it is, and what to do about it."""
    key = f"trouble.{trouble.key}"
    return say(f"{key}.what", **trouble.params), say(f"{key}.mend", **trouble.params)
