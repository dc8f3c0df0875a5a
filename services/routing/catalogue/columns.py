"""The columns and labels of the catalogue's file, as an office worker writes them; it reads no file."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Final

from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency

RULE: Final = "规则编号"
CATEGORY: Final = "类别"
KEYWORDS: Final = "关键词"
KIND: Final = "诉求类型"
PARK: Final = "园区"
TIER: Final = "企业层级"
URGENCY: Final = "紧急程度"
LEAD: Final = "主办部门"
CO: Final = "协办部门"
DIFFICULTY: Final = "难易"
RAISED: Final = "定级"
ACCEPT_HOURS: Final = "签收时限(工作小时)"
HANDLE_DAYS: Final = "办结时限(工作日)"
NOTE: Final = "说明"

COLUMNS: Final = (
    RULE, CATEGORY, KEYWORDS, KIND, PARK, TIER, URGENCY,
    LEAD, CO, DIFFICULTY, RAISED, ACCEPT_HOURS, HANDLE_DAYS, NOTE,
)  # fmt: skip
REQUIRED: Final = (RULE, LEAD)

KINDS: Final = {
    "咨询": Kind.ASK,
    "求助": Kind.HELP,
    "投诉": Kind.COMPLAINT,
    "建议": Kind.SUGGESTION,
    "隐患": Kind.HAZARD,
    "微心愿": Kind.WISH,
}
TIERS: Final = {"重点": Tier.KEY, "规上": Tier.LARGE, "一般": Tier.GENERAL}
URGENCIES: Final = {"一般": Urgency.NORMAL, "紧急": Urgency.URGENT, "特急": Urgency.EMERGENCY}
DIFFICULTIES: Final = {"简单": Difficulty.SIMPLE, "复杂": Difficulty.COMPLEX}

LONGEST_ACCEPT_MINUTES: Final = 100 * 60
LONGEST_HANDLE_DAYS: Final = 365

_JOINTS = re.compile(r"[、，,；;\n]")


def header(text: str) -> str:
    """A column's name as it is compared: without spaces, with half-width brackets."""
    return re.sub(r"\s", "", text).replace("（", "(").replace("）", ")")


def words(cell: str) -> tuple[str, ...]:
    """The words of a cell, which are joined by 、 (a comma or a semicolon will do), each once."""
    return tuple(dict.fromkeys(part.strip() for part in _JOINTS.split(cell) if part.strip()))


def path(text: str) -> str:
    """A category path in one form: 基础设施/道路交通, without spaces around its names."""
    names = text.replace("／", "/").split("/")
    return "/".join(name.strip() for name in names if name.strip())


def minutes(cell: str) -> int | None:
    """Whole minutes from hours such as `2` or `0.5`; None when it is no such number, up to 100 hours."""
    found = _number(cell)
    if found is None or found * 60 != (whole := int(found * 60)):
        return None
    return whole if 1 <= whole <= LONGEST_ACCEPT_MINUTES else None


def days(cell: str) -> int | None:
    """Whole days; None when it is no such number, 1 to 365."""
    found = _number(cell)
    if found is None or found != (whole := int(found)):
        return None
    return whole if 1 <= whole <= LONGEST_HANDLE_DAYS else None


def _number(cell: str) -> Decimal | None:
    try:
        # Full-width digits are what a Chinese keyboard types.
        found = Decimal(unicodedata.normalize("NFKC", cell))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 1_000_000 else None
