"""CSV files as offices send them: each is read whole, refused by name, or its faulty rows are named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tables.reader import read_table
from shared.tables.table import TableData, UnsupportedFormat, Unusable
from shared.tables.writing import as_csv, escape_formula, restore_formula

INPUTS = Path(__file__).parents[2] / "cases" / "inputs"
MOST = 10_000


def read(text: str | bytes, charset: str | None = None) -> TableData:
    return read_table(text.encode() if isinstance(text, str) else text, MOST, charset)


def refusal(text: str | bytes, charset: str | None = None) -> Unusable:
    with pytest.raises(Unusable) as caught:
        read(text, charset)
    return caught.value


def codes(table: TableData) -> dict[int, list[str]]:
    return {row: [fault.code for fault in faults] for row, faults in table.faults.items()}


def test_case_08_utf8_with_a_cut_character_is_refused_with_its_row():
    fault = refusal((INPUTS / "08-cut-in-a-character.csv").read_bytes())
    assert (fault.code, fault.row) == ("broken_character", 3)


@pytest.mark.parametrize("keep", [1, 2])
@pytest.mark.parametrize("end", ["\r\n", ",x\r\n", '"\n', ""])
def test_case_08_one_cut_character_alone_is_no_gb18030(keep: int, end: str):
    raw = b"name,note\r\na," + "中".encode()[:keep] + end.encode()
    assert refusal(raw).code in ("broken_character", "encoding", "unclosed_quote")


@given(
    words=st.lists(
        st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=9),
        min_size=3, max_size=9,
    ),
    data=st.data(),
)  # fmt: skip
def test_case_08_utf8_that_lost_a_byte_is_never_taken_as_something_else(words, data):
    raw = bytearray("\r\n".join(("甲", *words)).encode())
    high = [at for at, byte in enumerate(raw) if byte >= 0x80]
    del raw[data.draw(st.sampled_from(high))]
    assert refusal(bytes(raw)).code in ("broken_character", "encoding")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_an_encoding_is_told_by_the_bytes(encoding: str):
    table = read("名称,内容\r\n云杉精密,北门道路积水\r\n".encode(encoding))
    assert table.rows == {2: ("云杉精密", "北门道路积水")}


@pytest.mark.parametrize(
    ("raw", "charset", "code"),
    [
        ("名称\nM\xfcller\n".encode("utf-16-le"), None, "utf16_without_mark"),
        ("name\nM\xfcller\n".encode("latin-1"), None, "encoding"),
        ("名稱,說明\n雲杉,的確是這樣的一個問題,上\n".encode("big5"), None, "encoding"),
        ("名称\n云杉\n".encode("utf-8-sig"), "gbk", "charset_mismatch"),
        ("名称\n云杉\n".encode(), "gb2312", "charset_mismatch"),
        ("名称\n云杉\n".encode("gb18030"), "utf-8", "broken_character"),
        ("名称\n云杉\n".encode("utf-16")[:-1], None, "broken_character"),
        (b"name\nx\n", "klingon", "charset"),
        (b"name\nx\n", "iso-8859-1", "charset"),
    ],
)
def test_what_is_in_no_encoding_is_refused_by_name(raw: bytes, charset: str | None, code: str):
    fault = refusal(raw, charset)
    assert fault.code == code
    assert isinstance(fault, UnsupportedFormat) == (code == "charset")


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("GBK", "gbk"), ("big5", "big5"), ("UTF-8", "utf-8"), ("utf-16le", "utf-16-le"),
        ("utf-16", "utf-16"),
    ],
)  # fmt: skip
def test_a_given_charset_counts(charset: str, encoding: str):
    assert read("名,文\n山,水火\n".encode(encoding), charset).rows == {2: ("山", "水火")}


def test_case_09_an_unclosed_quote_is_refused_with_the_row_where_it_opens():
    fault = refusal((INPUTS / "09-unclosed-quote.csv").read_bytes())
    assert (fault.code, fault.row) == ("unclosed_quote", 3)


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n1,"x\n2,y\n3,"z"\n',
        'a,b\n1,"x\n2,y\n"3",z\n',
        'a,b\n1,"x\n2,y",z\n3,"q"w\n',
        'a,b\n1,"x\n2,"\n3 lines"\n',
    ],
)
def test_case_09_a_quote_that_another_row_closes_is_refused(text: str):
    assert refusal(text).code in ("broken_quote", "unclosed_quote")


def test_case_09_rows_within_a_cell_are_a_fault():
    text = 'a,b,c,d,e\n1,,,,"x\n2,,,,y\n3,,,,z"\n4,,,,"w, w\nw"\n'
    table = read(text)
    assert codes(table) == {2: ["rows_in_cell"]}
    assert table.rows[3] == ("4", "", "", "", "w, w\nw")


def test_a_quote_within_a_line_is_a_fault_of_its_row():
    table = read('a,b\n1,x"y\n2,"x"y\n3,"x""y"\n4, "x"\n')
    assert codes(table) == {2: ["broken_quote"], 3: ["broken_quote"], 5: ["broken_quote"]}
    assert table.rows[4] == ("3", 'x"y')


def test_case_12_more_cells_than_columns_are_a_fault_and_are_kept():
    table = read("a,b\n1,x,y\n2,x,,\n3,x\n")
    assert codes(table) == {2: ["extra_cells"]}
    assert table.faults[2][0].found == "C"
    assert table.rows == {2: ("1", "x", "y"), 3: ("2", "x"), 4: ("3", "x")}


def test_case_12_a_cell_under_no_heading_is_a_fault():
    table = read("a,,c\n1,x,y\n2,,y\n")
    assert codes(table) == {2: ["extra_cells"]}


def test_trailing_blank_cells_may_be_left_out_but_not_half_a_row():
    whole = "a,b,c,d\n1,x,y,z\n2,x\n3,x\n4,x\n5,x,y,z\n"
    assert codes(read(whole)) == {}
    broken = "a,b,c,d\n1,x,y,z\n2,x,half\nof it,z\n5,x,y,z\n"
    assert codes(read(broken)) == {3: ["broken_row"], 4: ["broken_row"]}


def test_case_13_an_unclosed_quote_in_a_long_file_is_refused_with_its_row():
    rows = [f"R{number},D1,{'说明' * 20}" for number in range(2000)]
    rows[700] = 'R700,D1,"说明'
    fault = refusal("规则编号,主办部门,说明\r\n" + "\r\n".join(rows))
    assert (fault.code, fault.row) == ("unclosed_quote", 702)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b\n1;x,y\n", ";"),
        ("a\tb\n1\tx,y\n", "\t"),
        ("sep=;\na;b\n1;x,y\n", ";"),
        ('"a;";b\n1;x,y\n', ";"),
    ],
)
def test_the_delimiters_of_other_offices(text: str, delimiter: str):
    table = read(text)
    assert (table.delimiter, table.rows) == (delimiter, {2: ("1", "x,y")})


def test_a_delimiter_that_is_named_and_not_known_is_refused():
    assert refusal("sep=|\na|b\n1|2\n").code == "delimiter"


def test_blank_stretches_cost_nothing_and_rows_keep_their_numbers():
    table = read("\r\n\r\na,b\r\n" + "\r\n" * 1_000_000 + "1,2\r\n")
    assert (table.header_row, table.rows) == (3, {1_000_004: ("1", "2")})


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("#N/A", "error_cell"), ("#REF!", "error_cell"), ("######", "error_cell"),
        ("#ERROR!", "error_cell"), ("#SPILL!", "error_cell"), ("#BLOCKED!", "error_cell"), ("#NAME?", "error_cell"),
        ("#DIV/0!", "error_cell"), ("Err:509", "error_cell"), ("Loading...", "error_cell"),
        ("9.1310117E+17", "number_digits"), ("x\0y", "control_character"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_program_left_of_a_value_is_a_fault(cell: str, code: str):
    assert codes(read(f"a,b\n1,{cell}\n2,y\n")) == {2: [code]}


@pytest.mark.parametrize("cell", ["#1", "#号", "#", "#a!", "Err:", "Loading", "E", "5#!"])
def test_texts_that_only_look_like_errors_are_texts(cell: str):
    assert read(f"a,b\n1,{cell}\n").faults == {}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="001"', "001"), ('"=""001"""', "001"), ('=""', ""), ('="a,b"', "a,b"), ('="说""是"""', '说"是"'),
        ("=1+1", "=1+1"), ('"=""a""&""b"""', '="a"&"b"'),
    ],
)  # fmt: skip
def test_a_text_that_a_program_wrote_as_a_formula_is_that_text(cell: str, text: str):
    assert read(f"a,b\n{cell},y\n").rows == {2: (text, "y")}


@pytest.mark.parametrize("cell", ['="001', '="001"x', '="001"1"'])
def test_a_formula_whose_quotes_are_misplaced_is_a_fault(cell: str):
    assert codes(read(f"a,b\n{cell},y\n")) == {2: ["broken_quote"]}


def test_what_programs_leave_at_the_ends_of_files_is_no_row():
    assert read("a,b\n1,2\n\x1a").rows == {2: ("1", "2")}
    assert read("\ufeffa,b\n1,2\n\ufeff3,4\n").rows == {2: ("1", "2"), 3: ("3", "4")}


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1, max_size=8))
def test_case_08_utf8_is_read_under_no_other_charset(words: str):
    raw = f"a,b\n{words},1\n".encode()
    for charset in ("gbk", "gb18030", "big5"):
        assert refusal(raw, charset).code == "charset_mismatch"


@given(st.text(st.sampled_from("'=+-@＝＋－＠ab\t\r"), max_size=6))
def test_case_10_a_cell_is_harmless_and_comes_back(cell: str):
    harmless = escape_formula(cell)
    assert harmless[:1] not in tuple("=+-@＝＋－＠\t\r")
    assert restore_formula(harmless) == cell


def test_what_is_written_is_read_again():
    rows = [("1,2", "三\n四"), ("", '五"')]
    assert read(as_csv(("甲", "乙"), rows)).rows == {2: ("1,2", "三\n四"), 3: ("", '五"')}
