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
THOUSANDS = {",": ",", ".": ".", "'": APOSTROPHES, " ": BLANKS, "_": "_"}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and the sign that it stands with: a currency's, its code, or %."""

    value: float
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """The decimal mark and the mark between thousands; `" "` stands for any blank that is written there."""

    decimal: str = "."
    thousands: str | None = None

    def amount(self, text: str) -> Amount | None:
        """The number that a trimmed text is, None for any other text. `13.5%` is 13.5."""
        sign, body = _unsigned(text)
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
    """Other marks than the usual by which each of the texts is a number, those with the fewest settings."""
    different = list(texts)
    fit = [marks for marks in OTHERS if all(marks.amount(text) for text in different)]
    fewest = min((marks.settings for marks in fit), default=0)
    return [marks for marks in fit if marks.settings == fewest]


@lru_cache
def _pattern(marks: Marks) -> re.Pattern[str]:
    decimal = re.escape(marks.decimal)
    plain = rf"(?:\d+(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?"
    grouped = ""
    if marks.thousands is not None:  # groups of two before the last are India's
        mark = f"[{re.escape(THOUSANDS[marks.thousands])}]"
        grouped = rf"|\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}(?:{decimal}\d*)?"
    return re.compile(rf"[+-]?(?:{plain}{grouped})", re.ASCII)


def _unsigned(text: str) -> tuple[str, str]:
    """The sign or code of a currency or the % that a text begins or ends with, and the rest."""
    minus, rest = ("-", text[1:].lstrip()) if text[:1] in "-\u2212" and text else ("", text)
    if (code := rest[-3:]) in CURRENCIES or (code := rest[:3]) in CURRENCIES:
        return code, minus + rest.removesuffix(code).removeprefix(code).strip()
    for at, others in ((rest[-1:], rest[:-1]), (rest[:1], rest[1:])):
        if at and (unicodedata.category(at) == "Sc" or (at == "%" and others == rest[:-1])):
            return at, minus + others.strip()
    return "", minus + rest
