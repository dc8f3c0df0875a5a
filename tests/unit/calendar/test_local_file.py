"""A town's own file: what it may say, and that a mistake in it is named and not swallowed."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shared.calendar
from shared.calendar import DayKind
from shared.calendar.china import load_calendar
from shared.calendar.local_file import CalendarFileError, WeekHours, read_local_file

EXAMPLE = Path(shared.calendar.__file__).parent / "example.toml"


@pytest.fixture
def written(tmp_path):
    def write(content, name="calendar.toml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def shown(hours):
    return [str(interval) for interval in hours]


def test_the_example_can_be_used_as_it_is():
    calendar = load_calendar(EXAMPLE, 2026, 2026)
    assert shown(calendar.hours_of(date(2026, 3, 22))) == ["09:00-12:00", "13:00-17:00"]
    assert not calendar.is_working_day(date(2026, 7, 20))
    assert shown(calendar.hours_of(date(2026, 9, 30))) == ["09:00-12:00"]
    assert shown(calendar.hours_of(date(2026, 3, 20))) == ["09:00-12:00", "13:30-17:00"]
    assert shown(calendar.hours_of(date(2026, 2, 14))) == ["09:00-12:00", "13:30-17:30"]
    assert calendar.special[date(2026, 7, 20)].kind is DayKind.LOCAL
    assert calendar.special[date(2026, 7, 20)].name == "台风停工"


def test_an_empty_file_changes_nothing(written):
    assert load_calendar(written(""), 2026, 2027) == load_calendar(None, 2026, 2027)


def test_json_says_the_same_as_toml_and_a_byte_order_mark_is_no_matter(written):
    toml = """
        zone = "Asia/Urumqi"
        [hours]
        workdays = ["10:00-14:00", "15:30-19:30"]
        make_up = ["10:00-13:00"]
        [[day]]
        date = 2026-06-08
        is = "holiday"
        reason = "节"
    """
    same = {
        "zone": "Asia/Urumqi",
        "hours": {"workdays": ["10:00-14:00", "15:30-19:30"], "make_up": ["10:00-13:00"]},
        "day": [{"date": "2026-06-08", "is": "holiday", "reason": "节"}],
    }
    from_toml = load_calendar(written(toml), 2026, 2026)
    marked = b"\xef\xbb\xbf" + json.dumps(same, ensure_ascii=False).encode()
    from_json = load_calendar(written(marked, "calendar.JSON"), 2026, 2026)
    assert from_json == from_toml
    assert shown(from_toml.hours_of(date(2026, 2, 14))) == ["10:00-13:00"]
    assert from_toml.zone.key == "Asia/Urumqi"
    assert not from_toml.is_working_day(date(2026, 6, 8))


def test_the_file_has_the_last_word_on_a_holiday_and_on_a_make_up_day(written):
    path = written("""
        [[day]]
        date = 2026-10-05
        until = 2026-10-06
        is = "workday"
        reason = "值班"
        [[day]]
        date = 2026-10-10
        is = "holiday"
        reason = "不补班"
    """)
    calendar = load_calendar(path, 2026, 2026)
    worked = [day for day in range(1, 12) if calendar.is_working_day(date(2026, 10, day))]
    assert worked == [5, 6, 8, 9]


def test_a_workday_without_hours_has_those_of_its_weekday_and_a_weekend_those_of_a_make_up_day(
    written,
):
    path = written("""
        [hours]
        friday = ["09:00-12:00"]
        make_up = ["08:00-11:00"]
        [[day]]
        date = 2026-10-02
        until = 2026-10-04
        is = "workday"
        reason = "值班"
    """)
    calendar = load_calendar(path, 2026, 2026)
    got = [shown(calendar.hours_of(date(2026, 10, day))) for day in (2, 3, 4)]
    assert got == [["09:00-12:00"], ["08:00-11:00"], ["08:00-11:00"]]


def test_a_plan_typed_by_hand_makes_its_year_certain(written):
    calendar = load_calendar(written("announced_through = 2050"), 2026, 2051)
    assert calendar.announced_through == date(2050, 12, 31)


def day(lines):
    return f"[[day]]\n{lines}\n"


GOOD = 'date = 2026-05-01\nis = "holiday"\nreason = "x"'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("zone = ", "is not well formed"),
        (b"# \xb7\xc5\xbc\xd9", "is not saved as UTF-8"),
        ('zone = "Asia/Peking"', "zone: 'Asia/Peking' is no time zone"),
        ('zone = "../../etc/passwd"', "zone: '../../etc/passwd' is no time zone"),
        ("holidays = []", "holidays: Extra inputs are not permitted"),
        ("announced_through = 27", "announced_through: Input should be greater than"),
        ('[hours]\nmonday = ["9-12"]', "hours.monday: '9-12' is no interval"),
        ('[hours]\nmonday = ["09:00-12:00-13:00"]', "is no interval"),
        ('[hours]\nmonday = ["12:00-09:00"]', "hours.monday: 12:00-09:00 does not open before"),
        ('[hours]\nmonday = ["09:00-24:01"]', "does not open before it closes, within one day"),
        ('[hours]\nmonday = ["09:00-12:00", "11:00-14:00"]', "11:00-14:00 begins before 09:00"),
        ('[hours]\nmonday = "09:00-12:00"', "hours.monday: write a list of intervals"),
        ("[hours]\nmonday = [9]", "hours.monday: write a list of intervals"),
        ("[hours]\nworkdays = []", "hours: no weekday has any working hours"),
        ("[hours]\nmake_up = []", "hours: make-up working days have no hours"),
        (day('date = 2026-02-30\nis = "holiday"'), "is not well formed"),
        (day('date = "1.5.2026"\nis = "holiday"\nreason = "x"'), "day[1].date: Input should be"),
        (day('date = 2206-05-01\nis = "holiday"\nreason = "x"'), "day[1].date: Input should be"),
        (day('date = 2050-05-01\nis = "holiday"\nreason = "x"'), "in the years 2020 to 2045"),
        (day('date = "2019/5/1"\nis = "holiday"\nreason = "x"'), "in the years 2020 to 2045"),
        (day(GOOD.replace('"x"', '"\\u200b"')), "day[1].reason: write words that can be seen"),
        (day(GOOD.replace('"x"', '"x\\u202e"')), "day[1].reason: write words that can be seen"),
        (day(GOOD.replace('"x"', '"x\\u0007"')), "day[1].reason: write words that can be seen"),
        (day(GOOD.replace('"x"', '"  "')), "day[1].reason: String should"),
        ("a = " + "[" * 100_000, "is nested too deeply"),
        (day('date = 2026-05-01\nis = "holiday"'), "day[1].reason: Field required"),
        (day('date = 2026-05-01\nis = "holiday"\nreason = ""'), "day[1].reason: String should"),
        (day('date = 2026-05-01\nis = "off"\nreason = "x"'), "day[1].is: Input should be"),
        (day(GOOD + '\nhours = ["09:00-12:00"]'), "day[1]: a holiday has no hours"),
        (day(GOOD.replace("holiday", "workday") + "\nhours = []"), "day[1]: a workday has some"),
        (day(GOOD + "\nuntil = 2026-04-30"), "day[1]: until 2026-04-30 is not within 60 days"),
        (day(GOOD + "\nuntil = 2026-06-30"), "day[1]: until 2026-06-30 is not within 60 days"),
        (day(GOOD) + day(GOOD), "2026-05-01 is in day[2] and in an entry before it"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_place(written, content, problem):
    path = written(content)
    with pytest.raises(CalendarFileError) as caught:
        read_local_file(path)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


HOUR = st.integers(0, 23)
MINUTE = st.integers(0, 59)
FULL_WIDTH = str.maketrans("0123456789:-~", "０１２３４５６７８９：－～")


@given(
    st.lists(st.tuples(HOUR, MINUTE), min_size=2, max_size=2, unique=True).map(sorted),
    st.sampled_from(["-", " - ", "–", "—", "~", "至", "到", "--"]),
    st.booleans(),
    st.booleans(),
)
def test_hours_are_read_as_an_office_types_them(interval, dash, padded, wide):
    ends = [
        f"{hour:02}:{minute:02}" if padded else f"{hour}:{minute:02}" for hour, minute in interval
    ]
    text = dash.join(ends)
    text = text.translate(FULL_WIDTH) if wide else text
    read = WeekHours.model_validate({"workdays": [text]}).workdays
    expected = "-".join(f"{hour:02}:{minute:02}" for hour, minute in interval)
    assert shown(read) == [expected]


def test_all_mistakes_are_named_at_once(written):
    path = written(day('date = 2026-05-01\nis = "off"\nreason = "x"') + day('is = "holiday"'))
    with pytest.raises(CalendarFileError) as caught:
        read_local_file(path)
    places = [problem.split(":")[0] for problem in caught.value.problems]
    assert places == ["day[1].is", "day[2].date", "day[2].reason"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("[]", "is not an object"),
        ("{", "is not well formed"),
        ('{"day": [], "zone": "Asia/Shanghai", "day": []}', "day stands twice in one object"),
        ('{"day": [{"date": "2026-05-01", "date": "2026-05-02"}]}', "date stands twice"),
        ("[" * 100_000, "is nested too deeply"),
    ],
)
def test_json_is_checked_as_well(written, content, problem):
    with pytest.raises(CalendarFileError, match=problem):
        read_local_file(written(content, "calendar.json"))


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(CalendarFileError, match=r"nowhere\.toml: cannot be read: No such file"):
        load_calendar(tmp_path / "nowhere.toml", 2026, 2026)
