"""Guess for each column: a feature of some type, or a reason to leave it out."""

import re
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cli.words import shown
from table.amounts import Marks, is_bookkeeping_minus
from table.csv_file import THREE_FIGURES
from table.remarks import codes_among
from table.settings import Feature
from table.time_format import (
    FEWEST_MONTHS,
    LOOKED_AT,
    NEARLY_EVERY,
    NUMBER,
    UNORDERED,
    fitting,
    misleading,
    misleading_of_two_figures,
)
from table.times import is_iso
from table.words import folded, number_of, truths
from training.drafting.cells import Cells
from training.drafting.doubts import (
    DAYS_OF_EXCEL,
    amounts_in_words,
    as_no_text,
    beyond_exact,
    counted,
    counted_by_values,
    in_several_forms,
    negative_codes,
    of_two_scales,
    with_odd_texts,
)
from training.drafting.periods import as_day_of_year, as_period, as_year_and_month, of_lost_october
from training.drafting.writing import A_QUESTION, NEARLY_ALL, words_of_truth
from training.exploration.column import Column
from training.exploration.risk import risk_of
from training.exploration.suspects import KNOWN_LATER, may_be_honest, suspicion_of

ID_NAME = re.compile(
    r"(^|[_\W]|(?<=[a-z])(?=[IKN])|(?=nummer))(id|uuid|guid|key|nr|no|num|number|nummer|n[uú]m[eé]ro|ref|reference)\.?$"
    r"|^(n[°ºo.r]+|num[eé]ro) |^(acct|account|konto|kontonr|dossier|customer|kunde|cliente?)$",
    re.I,
)
# Of what comes again in a panel; a bare id is of the loan as well. A branch or a product comes again, too.
OF_A_LOAN = re.compile(
    r"^(id|uuid|guid|key|nr|no|num|number|nummer|ref|reference)\.?$"
    r"|loan|contract|customer|client|borrower|applicant|application|obligor|account|acct|policy|facility|member|person"
    r"|konto|kund|kredit|vertrag|darlehen|antrag|dossier|contrat|prêt|préstamo|prestamo|cuenta|conto",
    re.I,
)
WEIGHT = re.compile(r"^(sample|case|row|survey)?[ _.-]?(weights?|wt|wgt|gewicht|peso|poids)$", re.I)
ISO = "ISO 8601"
PLAIN_TIMES = {
    "%Y%m": r"(19|20)\d\d(0[1-9]|1[0-2])",
    "%m%Y": r"(0?[1-9]|1[0-2])(19|20)\d\d",
    "%Y%m%d": r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
}
YEARS_OF_FOUR = tuple(text for text in UNORDERED if "%Y" in text)
TRUTH = truths((), ())
# Names of payments, collections and states of a loan that is running or lost.
AFTERWARDS = re.compile(
    r"recover(y|ies|ed)|collection_|charge_?off|write_?off|settlement|hardship|out_?prncp|total_?(pymnt|paid|rec_)"
    r"|(last|next)_?(pymnt|payment|fico|credit_pull)|days?_?(past_?due|late)|(^|_)dpd(_|$)|loss_given|(^|_)(lgd|ead)(_|$)",
    re.I,
)
TELLS_MUCH = 0.7  # ROC-AUC of a column that has such a name
MANY_LEVELS, OWN_LEVELS, RECURRING = 50, 0.5, 0.2
LEAST_ROWS, FIGURES = 100, 7  # of an identifier that its name does not say
UUID = "is how every request names itself; rename the column to make it a feature"


@dataclass(frozen=True)
class Guess:
    """A column as a feature, and the `reason` to leave it out, or None; `remark` is said of it, a question mostly.

    `times` are formats by which it may be a moment, `names_rows` says that it has a value of its own in every row,
    `recurs` that its values name something that comes again, as a customer.
    """

    feature: Feature
    reason: str | None = None
    remark: str = ""
    times: tuple[str, ...] = ()
    names_rows: bool = False
    recurs: bool = False


def guess(cells: Cells, marks: Marks) -> Guess:
    """A guess at one column by its cells alone."""
    name, levels = cells.name, cells.levels
    category = Feature(name, "category")
    if cells.time is not None or (times := _times(cells)):
        found = (ISO,) if cells.time is not None else times
        if "%Y.%m" in found and (example := of_lost_october(levels)):
            return _of_lost_zeros(cells, example)
        said = f"holds times, {' or '.join(found)}: for the split, or to be replaced by a duration?"
        return Guess(category, said, times=() if cells.missing else found)
    if not levels:
        return Guess(Feature(name, "number"), "is missing in every row")
    if len(levels) == 1 and not cells.missing:
        return Guess(category, f"has a single value, {shown(levels[0])}")
    names_rows = not cells.missing and len(levels) == cells.present > 1
    if cells.is_boolean:
        return Guess(Feature(name, "boolean"))
    values = cells.values(marks)
    is_amount = ~np.isnan(values)
    if WEIGHT.search(name) and is_amount.any() and len(levels) > 1:
        return Guess(Feature(name, "number"), _of_weights(cells, values))
    if is_amount.all():
        return replace(_number(cells, values, marks), names_rows=names_rows and not (values % 1).any())
    beyond = [level for level, its in zip(levels, is_amount, strict=True) if not its]
    if is_amount.any() and (cells.is_number or all(marks.amount(level) for level in beyond)):
        named = ", ".join(map(shown, beyond[:3]))
        return Guess(
            Feature(name, "number"), f"holds {named}, too large for a number; correct them, or leave their cells empty"
        )
    if set(map(folded, levels)) <= set(TRUTH):
        return Guess(Feature(name, "boolean"))
    if len(levels) == 2 and (words := words_of_truth(levels)):
        return Guess(Feature(name, "boolean", true=(words[0],), false=(words[1],)))
    read = int(cells.rows[is_amount].sum())
    if len(levels) > MANY_LEVELS and read >= NEARLY_ALL * cells.present:
        others = [level for level, its in zip(levels, is_amount, strict=True) if not its][:3]
        return Guess(
            Feature(name, "number"), f"holds numbers and {', '.join(others)}; correct them, or list them as missing"
        )
    if reason := as_no_text(some := cells.frequent(LOOKED_AT)) or in_several_forms(some):
        return Guess(category, reason)
    if names_rows or len(levels) > max(MANY_LEVELS, OWN_LEVELS * cells.present):
        if reason := amounts_in_words(cells):
            return Guess(category, reason)
        many = f"has {len(levels):,} different texts in {cells.present:,} rows, like an identifier or free text"
        return Guess(category, many, names_rows=names_rows)
    if _recurs(cells):
        return Guess(
            category,
            f"seems to name {len(levels):,} customers or the like that recur: a group of the split?",
            recurs=True,
        )
    if reason := as_period(some):
        return Guess(category, reason)
    asked = [level for level in levels if level.casefold() in A_QUESTION]
    missing = f"does {listed_texts(asked)} mean missing? then add special = [{listed_texts(asked)}]" if asked else ""
    return Guess(category, remark=missing or amounts_in_words(cells) or with_odd_texts(levels, is_amount.tolist()))


def _of_weights(cells: Cells, values: NDArray[np.float64]) -> str:
    """The reason to leave out a column that has the name of a weight, with what training would refuse in it."""
    said = "seems to be the weight of a row, which is not a feature: is it?"
    wrong = [level for level, is_weight in zip(cells.levels, values > 0, strict=True) if not is_weight]
    found = [*(["missing cells"] if cells.missing else []), *map(shown, wrong[:3])]
    return f"{said} Then correct {' and '.join(found)}: a weight is above 0" if found else said


def _of_lost_zeros(cells: Cells, example: str) -> Guess:
    """Months of which October has lost its zero, as a program does that reads them as numbers."""
    said = (
        f"holds months, {shown(example)} but never {shown(f'{example}0')}: is it October without its zero, or January?"
    )
    is_in_order = any(".0" in level for level in cells.levels)
    times = (NUMBER,) if is_in_order and not cells.missing else ()
    return Guess(Feature(cells.name, "category"), said, times=times)


def _number(cells: Cells, values: NDArray[np.float64], marks: Marks) -> Guess:
    name, levels = cells.name, cells.levels
    number = Feature(name, "number")
    if len(levels) > 1 and (plain := _plain_times(cells, values)):
        times = () if cells.missing else plain  # of a split every row has one
        return Guess(number, f"looks like times written as numbers, {' or '.join(plain)}: are they?", times=times)
    by_values = counted_by_values(values)
    if unit := counted(name, values) or (None if by_values == DAYS_OF_EXCEL else by_values):
        said = f"looks like times in {unit}: are they? A feature is how long ago, in days or months"
        return Guess(number, said, times=() if cells.missing else (NUMBER,))
    if _recurs(cells) and not (values % 1).any():
        return Guess(
            Feature(name, "category"),
            f"seems to name {len(levels):,} customers or the like that recur: a group of the split?",
            recurs=True,
        )
    if not cells.is_number and any(level[:1] == "0" and re.fullmatch(r"0\d+", level) for level in levels):
        if len(levels) > max(MANY_LEVELS, OWN_LEVELS * cells.present):
            return Guess(Feature(name, "category"), "has leading zeros and many values, like an identifier")
        return Guess(Feature(name, "category"), remark="has leading zeros: a code, not an amount?")
    if len(levels) == cells.present and not (values % 1).any() and (ID_NAME.search(name.strip()) or _are_long(values)):
        return Guess(Feature(name, "category"), "has no value twice, like an identifier")
    if reason := as_day_of_year(values, cells.rows) or as_year_and_month(values, cells.rows):
        return Guess(number, reason, times=() if cells.missing else (NUMBER,))
    if reason := beyond_exact(levels, values):
        return Guess(Feature(name, "category"), reason)
    distinct, place = np.unique(values, return_inverse=True)
    rows = np.bincount(place, weights=cells.rows).astype(np.int64)
    codes = sorted({*negative_codes(distinct, rows, surely=True), *codes_among(distinct, rows)})
    if codes:
        special = tuple(f"{code:.15g}" for code in codes)
        return Guess(replace(number, special=special), remark=f"stand{'s' if len(codes) == 1 else ''} for missing?")
    if codes := negative_codes(distinct, rows, surely=False):
        written = ", ".join(f"{code:.15g}" for code in codes)
        does = f"does {written}" if len(codes) == 1 else f"do {written}"
        return Guess(number, remark=f"{does} mean missing? then add special = [{written}]")
    marked = None
    if cells.plain_values is None or marks.decimal != ".":
        marked = next((level for level in cells.by_rows if number_of(level) is None), None)
    below = next((level for level in cells.by_rows if is_bookkeeping_minus(level)), None)
    read = [
        f"{shown(its)} is read as {values[levels.index(its)]:.15g}" for its in dict.fromkeys((marked, below)) if its
    ]
    if not read and by_values is not None:
        return Guess(number, remark=f"are these {by_values}? then leave them out: a feature is how long ago")
    if not read and (doubt := of_two_scales(name, values, cells.rows)):
        return Guess(number, remark=doubt)
    return Guess(number, remark="; ".join(read))


def with_doubtful_points(its: Guess, cells: Cells) -> Guess:
    """The guess, asked about where each point stands before three figures, as points between thousands do."""
    pointed = [level for level in cells.by_rows if "." in level]
    are_doubtful = bool(pointed) and all(map(THREE_FIGURES.fullmatch, pointed))
    if its.feature.type != "number" or cells.is_number or not are_doubtful:
        return its
    value = f"{shown(pointed[0])} is read as {float(pointed[0]):g}"
    asked = f'{value}: or is it {float(pointed[0]) * 1000:.0f}? then set data.decimal = "," and data.thousands = "."'
    return replace(its, remark=f"{its.remark} {asked}".lstrip())


def _are_long(values: NDArray[np.float64]) -> bool:
    """True for many numbers of equally many figures, as identifiers have."""
    return (
        len(values) >= LEAST_ROWS
        and values.min() >= 10 ** (FIGURES - 1)
        and len(f"{values.min():.0f}") == len(f"{values.max():.0f}")
    )


def listed_texts(texts: list[str]) -> str:
    """Texts as TOML lists them."""
    return ", ".join(map(shown, texts))


def _recurs(cells: Cells) -> bool:
    """True for a column with the name of an identifier whose many values come again."""
    if ID_NAME.search(cells.name.strip()) is None or len(cells.levels) == cells.present:
        return False
    share = 0.0 if OF_A_LOAN.search(cells.name.strip()) else RECURRING
    return len(cells.levels) > max(MANY_LEVELS, share * cells.present)


def _times(cells: Cells) -> tuple[str, ...]:
    """The formats by which all texts are moments."""
    if cells.is_number or cells.is_boolean or len(cells.levels) < 2:
        return ()
    some = list(cells.levels[:LOOKED_AT])
    if not all(any(map(str.isdigit, level)) for level in some[:20]) or all(map(str.isdigit, some)):
        return ()
    if cells.plain_values is None and is_iso(cells.levels):
        return (ISO,)
    return tuple(fitting(cells.levels)) if fitting(some) else ()


def _plain_times(cells: Cells, values: NDArray[np.float64]) -> tuple[str, ...]:
    """The formats by which numbers are moments."""
    found = misleading(values, YEARS_OF_FOUR) or misleading_of_two_figures(values) or _years_first(values)
    if not (values % 1).any() and 10**4 <= np.median(values) < 10**8:
        texts = [f"{value:.0f}" for value in values]
        for written, form in PLAIN_TIMES.items():
            fit = np.array([re.fullmatch(form, text) is not None for text in texts])
            if cells.rows[fit].sum() >= NEARLY_ALL * cells.present and fit.sum() > 1 and written not in found:
                found.append(written)
    return tuple(found)


def _years_first(values: NDArray[np.float64]) -> list[str]:
    """%y%m for numbers of three or four figures that are nearly every month of some years, as 1501 to 1812."""
    if len(values) < FEWEST_MONTHS or (values % 1).any() or values.min() < 100 or values.max() >= 10_000:
        return []
    years, months = values // 100, values % 100
    if months.min() < 1 or months.max() > 12:
        return []
    span = 12 * (years.max() - years.min()) + 1 + months[years.argmax()] - months[years.argmin()]
    return ["%y%m"] if NEARLY_EVERY * span <= len(values) and years.max() > years.min() else []


def suspected(its: Guess, cells: Cells, marks: Marks, target: NDArray[np.int8]) -> Guess:
    """The guess with the reason of exploration's suspicion, where it has one. `target` [n] is 0, 1 or -1 for none."""
    known = target >= 0
    if its.reason is not None or len(set(target[known].tolist())) < 2:
        return its
    feature = its.feature
    values: NDArray[np.float64] | NDArray[np.object_]
    if feature.type == "category":
        values = cells.labels()
    elif feature.type == "boolean":
        truth = truths(feature.true, feature.false)
        values = np.array([*(truth[folded(level)] for level in cells.levels), np.nan])[cells.codes]
    else:
        read = np.append(cells.values(marks), np.nan)
        values = np.where(np.isin(read, [float(code) for code in feature.special]), np.nan, read)[cells.codes]
    column = Column.of(feature, values[known], target[known].astype(np.int8))
    risk = risk_of(column, optimal=False)
    reason = suspicion_of(column, risk)
    if AFTERWARDS.search(feature.name):
        if reason is None and risk["auc"] >= TELLS_MUCH:
            reason = f"is named like what follows the decision, and has a ROC-AUC of {risk['auc']:.2f}: {KNOWN_LATER}"
    elif reason is not None and may_be_honest(column, risk, reason):
        return replace(its, remark=f"LEAK? {reason} {its.remark}".rstrip())
    return replace(its, reason=reason)
