"""Telephone numbers as people write them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.contracts.fields.phones import digits_of
from shared.contracts.fields.types import Phone
from shared.messages.catalogue import catalogue


@pytest.mark.parametrize(
    "phone",
    [
        "(021) 6760-1234",
        "（０２１）６７６０－１２３４",
        "021-67601234转801",
        "021-67601234 转 801",
        "021 6760 1234 ext. 801",
        "021-67601234#801",
        "+86 138 0000 0000",
        "(+86) 138-0000-0000",
        "0086-21-67601234",
        "１３８００００００００",
        "13800000000/13900000000",
        "13800000000、13900000000",
        "13800000000，021-67601234转801",
        "13800000000 或 13900000000",
        "手机：13800000000",
        "13800000000（微信同号）",
        "400-800-8888",
        "12345",
        "110",
        "000-5550-0101",
    ],
)
def test_case_40_a_phone_is_taken_as_people_write_it(phone: str) -> None:
    assert TypeAdapter(Phone).validate_python(phone) == phone


@pytest.mark.parametrize(
    "phone",
    [
        "call me",
        "没有",
        "-",
        "无",
        "a@b.example",
        "12",
        "+",
        "()",
        "转801",
        "138x",
        "1" * 40,
        "13812345678.0",
        "2167601234.00",
    ],
)
def test_case_40_what_is_no_phone_is_refused_with_an_example(phone: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Phone).validate_python(phone)
    assert [error["type"] for error in caught.value.errors()] == ["phone"]
    assert "021-67601234" in catalogue("zh")["field.phone"]


def test_two_spellings_of_a_number_have_the_same_digits() -> None:
    spellings = (
        "(021) 6760-1234",
        "０２１－６７６０１２３４",
        "021 6760 1234 转 801",
        "电话：02167601234",
    )
    assert {digits_of(each) for each in spellings} == {("02167601234",)}
    assert digits_of("13800000000、13900000000") == ("13800000000", "13900000000")
