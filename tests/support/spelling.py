"""The same text in other spellings: full-width, in other letters, spaced, with what nobody sees in it."""

from hypothesis import strategies as st

INVISIBLE = "\u200b\u2060\ufeff\u00ad\ufe0f\u200d"
SPACES = " \u3000\u00a0\t"
KANGXI = {
    "人": "\u2f08",
    "口": "\u2f1d",
    "水": "\u2f54",
    "车": "\u2ecb",
    "门": "\u2ed4",
    "大": "\u2f24",
}
# 车 and 门 are of the supplement of radicals, which NFKC leaves alone: they are no spellings of the same.
RADICALS = {each: radical for each, radical in KANGXI.items() if each not in "车门"}

TEXTS = st.text(
    "人口水大门号屏路灯积园区北门五金加工ABCXYZledled0123456789", min_size=2, max_size=24
)


def full_width(text: str) -> str:
    return "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text)


@st.composite
def spellings(draw: st.DrawFn, text: str, *, spaced: bool = True) -> str:
    """`text` as somebody else may have written it."""
    written = []
    for each in text:
        ways = [
            each,
            each.upper(),
            each.lower(),
            full_width(each),
            full_width(each.upper()),
            RADICALS.get(each, each),
        ]
        written.append(draw(st.sampled_from(ways)))
        written.append(draw(st.sampled_from(["", "", "", *INVISIBLE])))
        if spaced:
            written.append(draw(st.sampled_from(["", "", "", *SPACES])))
    return "".join(written)
