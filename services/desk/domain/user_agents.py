"""Names a browser and its system from the User-Agent header, roughly: for a person who looks for a device."""

import re
from dataclasses import dataclass
from typing import Final

# The first that fits counts: most browsers name several others too.
_BROWSERS: Final = (
    ("wecom", r"wxwork"),
    ("wechat", r"MicroMessenger"),
    ("dingtalk", r"DingTalk"),
    ("feishu", r"Lark|Feishu"),
    ("edge", r"Edg(?:e|A|iOS)?/"),
    ("qq", r"QQBrowser"),
    ("360", r"QIHU|360SE|360EE"),
    ("uc", r"UCBrowser|UBrowser"),
    ("huawei", r"HuaweiBrowser"),
    ("miui", r"MiuiBrowser"),
    ("opera", r"OPR/"),
    ("firefox", r"Firefox/|FxiOS/"),
    ("chrome", r"Chrome/|CriOS/"),
    ("safari", r"Safari/"),
)
_SYSTEMS: Final = (
    ("harmony", r"HarmonyOS|OpenHarmony"),
    ("android", r"Android"),
    ("ipad", r"iPad"),
    ("iphone", r"iPhone"),
    ("windows", r"Windows"),
    ("mac", r"Macintosh|Mac OS X"),
    ("chromeos", r"CrOS"),
    ("linux", r"Linux"),
)
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Device:
    """A browser and its system, as keys of the message catalogue; `other` for one that is not known."""

    browser: str
    system: str


def device_of(user_agent: str) -> Device:
    """Return what a User-Agent header names."""
    return Device(_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent))


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for name, pattern in known if re.search(pattern, text)), OTHER)


BROWSERS: Final = (*(name for name, _ in _BROWSERS), OTHER)
SYSTEMS: Final = (*(name for name, _ in _SYSTEMS), OTHER)
