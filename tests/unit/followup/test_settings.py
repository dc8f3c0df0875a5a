"""The town's own limits, as an office worker types them."""

import json
from pathlib import Path

import pytest

from services.followup.domain.limits import Limits, LimitTable
from services.followup.settings import load_limits
from shared.calendar import Limit


def written(folder: Path, content: object) -> Path:
    file = folder / "limits.json"
    file.write_bytes(b"\xef\xbb\xbf" + json.dumps(content, ensure_ascii=False).encode())
    return file


def test_without_a_file_the_defaults_hold() -> None:
    assert load_limits(None) == LimitTable()


def test_a_category_differs_from_the_towns_default_and_that_from_the_programs(
    tmp_path: Path,
) -> None:
    file = written(
        tmp_path,
        {"default": {"interim": "2wd"}, "categories": {"安全生产": {"first_contact": "2h"}}},
    )
    table = load_limits(file)
    assert table.of(None) == Limits(interim=Limit.days(2))
    assert table.of("安全生产/消防") == Limits(first_contact=Limit.hours(2), interim=Limit.days(2))


@pytest.mark.parametrize(
    "content",
    [
        {"default": {"interim": "soon"}},
        {"default": {"tea": "1wd"}},
        {"categories": {"安全生产": {"interim": "0wd"}}},
        [],
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(tmp_path: Path, content: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        load_limits(written(tmp_path, content))
