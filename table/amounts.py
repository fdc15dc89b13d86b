"""Numbers as people write them: decimal comma, thousands marks, percent and currency signs."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

BLANKS = " \u00a0\u202f\u2009"  # between thousands; the others do not break a line
APOSTROPHES = "'\u2019"
# ISO 4217 codes of the money that lenders' files are mostly in.
CODES = (
    "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR JPY KES KRW MXN MYR NGN NOK NZD PHP PLN RON RUB SAR "
    "SEK SGD THB TRY TWD UAH USD VND ZAR"
)
CURRENCIES = frozenset(CODES.split())
# Longer words before those that are a part of them.
WORDS = (
    *("CA$", "HK$", "MX$", "NT$", "NZ$", "US$", "A$", "C$", "R$", "S$"),
    *("Fr.", "Ft", "Kč", "Rp", "Rs.", "Rs", "kr.", "kr", "lei", "zł", "лв.", "руб.", "р."),
)
MINUS = "-\u2212"
THOUSANDS = {",": ",", ".": ".", "'": APOSTROPHES, " ": BLANKS, "_": "_"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and the sign beside it: a currency sign, a currency code, or %."""

    value: float
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """The decimal mark and the mark between thousands; `" "` stands for any kind of blank."""

    decimal: str = "."
    thousands: str | None = None

    def amount(self, text: str) -> Amount | None:
        """The number that a trimmed text is, None for any other text. `13.5%` is 13.5."""
        sign, body = _unsigned(text if text.isascii() else _in_latin_figures(text, self))
        if _pattern(self).fullmatch(body) is None:
            return None
        digits = "".join(part for part in body if part not in THOUSANDS.get(self.thousands or "", ""))
        return Amount(float(digits.replace(self.decimal, ".")), sign)

    @property
    def settings(self) -> int:
        """Number of marks that are not the usual ones."""
        return (self.decimal != ".") + (self.thousands is not None)

    def in_words(self) -> str:
        """The settings of these marks."""
        said = [f'data.thousands = "{self.thousands}"'] if self.thousands else []
        return " and ".join(([] if self.decimal == "." else [f'data.decimal = "{self.decimal}"']) + said)


OTHERS = tuple(Marks(decimal, mark) for mark in (None, *THOUSANDS) for decimal in ".," if decimal != mark)[1:]


def marks_that_fit(texts: Iterable[str]) -> list[Marks]:
    """Unusual marks with which each of the texts is a number, those with the fewest settings."""
    different = list(texts)
    fit = [marks for marks in OTHERS if all(marks.amount(text) for text in different)]
    fewest = min((marks.settings for marks in fit), default=0)
    return [marks for marks in fit if marks.settings == fewest]


def _in_latin_figures(text: str, marks: Marks) -> str:
    """The text with the figures of other scripts, and Arabic's marks, as these marks have them."""
    arabic = {"\u066b": marks.decimal, "\u066c": marks.thousands or "\u066c"}
    return "".join(str(unicodedata.decimal(letter, arabic.get(letter, letter))) for letter in text)


@lru_cache
def _pattern(marks: Marks) -> re.Pattern[str]:
    decimal = re.escape(marks.decimal)
    plain = rf"(?:\d+(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?"
    grouped = ""
    if marks.thousands is not None:  # groups of two before the last are India's
        mark = f"[{re.escape(THOUSANDS[marks.thousands])}]"
        grouped = rf"|\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{decimal}\d*)?"
    return re.compile(rf"[+-]?(?:{plain}{grouped})", re.ASCII)


def is_bookkeeping_minus(text: str) -> bool:
    """True for a minus as ledgers write it, in `(1,234.50)` and `1234-`."""
    return any(_minus(its)[0] and its[0] not in MINUS for its in (text, _money(text)[1]))


def _unsigned(text: str) -> tuple[str, str]:
    """The sign, code or word of a currency or the % that a text begins or ends with, and the rest with its minus."""
    minus, rest = _minus(text)
    sign, rest = _money(rest)
    if sign and not minus:
        minus, rest = _minus(rest)
    return sign, minus + rest


def _minus(text: str) -> tuple[str, str]:
    """`-` or nothing, and the rest: the minus is before or behind the number, or parentheses are around it."""
    if text[:1] in MINUS and text:
        return "-", text[1:].lstrip()
    if text[:1] == "(" and text[-1:] == ")":
        return "-", text[1:-1].strip()
    if text[-1:] in MINUS and text:
        return "-", text[:-1].rstrip()
    return "", text


def _money(text: str) -> tuple[str, str]:
    for its in (text[-3:], text[:3]):
        if its in CURRENCIES:
            return its, text.removesuffix(its).removeprefix(its).strip()
    for word in WORDS:
        if text.startswith(word) or text.endswith(word):
            return word, text.removesuffix(word).removeprefix(word).strip()
    for at, others in ((text[-1:], text[:-1]), (text[:1], text[1:])):
        if at and (unicodedata.category(at) == "Sc" or (at == "%" and others == text[:-1])):
            return at, others.strip()
    return "", text
