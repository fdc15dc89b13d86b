"""What each column of a sample seems to be: a type, or a reason to leave it out."""

import re
from dataclasses import dataclass, replace

import numpy as np

from table.settings import Feature, FeatureType
from table.words import folded, truths
from training.drafting.sample import Sample
from training.exploration.column import Column
from training.exploration.risk import risk_of
from training.exploration.suspects import suspicion_of

ID_NAME = re.compile(r"(^|_|\b)(id|uuid|guid|key|nr|no|number|ref|reference)$", re.I)
OUTCOME_NAME = re.compile(
    r"default|target|outcome|^class$|^label$|^y$|^bad|creditability|credit_risk|loan_status", re.I
)
BAD = {"bad", "default", "defaulted", "charged off", "charged-off", "loss", "late", "written off", "delinquent"}
GOOD = {"good", "paid", "fully paid", "repaid", "current", "non-default", "performing", "no default"}
# Found by their form; a column in which nearly all cells have one is of that kind.
TIMES = {
    "ISO 8601 (2016-09-01)": r"\d{4}-\d{2}(-\d{2}([T ].*)?)?",
    "month and year (Sep-2016)": r"[A-Za-z]{3}[- ](\d{4}|\d{2})",
    "day or month first (9/1/2016): which?": r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}",
    "quarter (2016Q3)": r"\d{4}[- ]?Q[1-4]",
    "day, month, year (01SEP2016)": r"\d{1,2}[A-Za-z]{3}\d{2,4}",
}
PLAIN_TIMES = {
    "YYYYMM": r"(19|20)\d\d(0[1-9]|1[0-2])",
    "MMYYYY": r"(0?[1-9]|1[0-2])(19|20)\d\d",
    "YYYYMMDD": r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
}
NUMBER_WITH_MARKS = r"[-+]?[$€£]?\s?\d[\d.,' ]*\s?[%$€£]?"
NEARLY_ALL = 0.95
TRUTH = truths((), ())
MANY_LEVELS, OWN_LEVELS = 50, 0.5
CODE_SHARE = 0.005


@dataclass(frozen=True)
class Guess:
    """A column: its `type`, and the `reason` to leave it out, or None; a `remark` on it, a question mostly."""

    name: str
    type: FeatureType
    reason: str | None = None
    remark: str = ""
    time: str | None = None


def guess(name: str, cells: list[str | None]) -> Guess:
    """A guess at one column of at least one row, by its cells alone."""
    present = [cell for cell in cells if cell is not None]
    if not present:
        return Guess(name, "number", "is missing in every row of the sample")
    distinct = set(present)
    if len(distinct) == 1:
        return Guess(name, "category", f"has one value only in the sample, {present[0]}")
    if time := _form(TIMES, present):
        return Guess(name, "category", f"holds times, {time}; a time of the split, or to be made a number?", time=time)
    if len(distinct) > 1 and (plain := _form(PLAIN_TIMES, present)):
        return Guess(name, "number", f"looks like times written as numbers, {plain}, whose order is not theirs: is it?")
    numbers = [cell for cell in present if is_number(cell)]
    if len(numbers) == len(present):
        if any(re.fullmatch(r"0\d+", cell) for cell in distinct):
            return Guess(name, "category", remark="has leading zeros: a code, not an amount?")
        if len(distinct) == len(cells) and ID_NAME.search(name):
            return Guess(name, "category", "has a value of its own in every row, as an identifier has")
        return Guess(name, "number", remark=_codes(np.array([float(cell) for cell in present])))
    others = sorted(distinct - set(numbers))
    if len(numbers) >= NEARLY_ALL * len(present):
        return Guess(name, "number", f"holds numbers and {', '.join(others[:5])}: do those stand for missing?")
    if set(map(folded, distinct)) <= set(TRUTH):
        return Guess(name, "boolean")
    if any(map(str.isdigit, present[0])) and _form({"marks": NUMBER_WITH_MARKS}, present):
        return Guess(name, "number", f"holds numbers with marks, such as {present[0]}; write them with a decimal point")
    if len(distinct) > max(MANY_LEVELS, OWN_LEVELS * len(present)):
        return Guess(
            name, "category", f"has {len(distinct):,} different texts in {len(present):,} rows: an identifier?"
        )
    return Guess(name, "category")


def suspected(its: Guess, cells: list[str | None], target: np.ndarray) -> Guess:
    """The guess with the reason of exploration's suspicion, where it has one. `target` [N] is 0, 1 or -1 for none."""
    known = target >= 0
    if its.reason is not None or len(set(target[known].tolist())) < 2:
        return its
    values: np.ndarray
    if its.type == "category":
        values = np.array(cells, dtype=object)
    elif its.type == "boolean":
        values = np.array([np.nan if cell is None else TRUTH[folded(cell)] for cell in cells])
    else:
        values = np.array([np.nan if cell is None else float(cell) for cell in cells])
    column = Column.of(Feature(its.name, its.type), values[known], target[known].astype(np.int8))
    return replace(its, reason=suspicion_of(column, risk_of(column, optimal=False)))


def candidates(sample: Sample) -> dict[str, list[str]]:
    """Columns that may be the target, with their values, the most frequent first: two, or words of outcomes."""
    found = {}
    for name, cells in sample.columns.items():
        present = [cell for cell in cells if cell is not None]
        values = sorted(set(present), key=lambda value: (-present.count(value), value)) if _is_short(present) else []
        if len(values) == 2 or (len(values) > 2 and OUTCOME_NAME.search(name) and _is_outcome(values)):
            found[name] = values
    return found


def convincing(found: dict[str, list[str]]) -> str | None:
    """The only candidate whose name or values are those of an outcome, where that has two values."""
    strong = [name for name, values in found.items() if OUTCOME_NAME.search(name) or _is_outcome(values)]
    return strong[0] if len(strong) == 1 and len(found[strong[0]]) == 2 else None


def positive_of(values: list[str]) -> tuple[str, bool]:
    """Which of two values, the more frequent first, is the default, and whether that is known and not supposed."""
    for value in values:
        if value.lower() in {*BAD, "1", "1.0", "true", "yes", "y"}:
            return value, True
    return values[-1], False


def is_number(cell: str) -> bool:
    """True if training reads the cell as a finite number."""
    return re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", cell, re.ASCII) is not None


def _is_short(present: list[str]) -> bool:
    return len(set(present)) <= 20


def _is_outcome(values: list[str]) -> bool:
    return any(value.lower() in BAD | GOOD for value in values)


def _form(forms: dict[str, str], present: list[str]) -> str | None:
    least = NEARLY_ALL * len(present)
    return next(
        (
            name
            for name, form in forms.items()
            if sum(re.fullmatch(form, cell) is not None for cell in present) >= least
        ),
        None,
    )


def _codes(numbers: np.ndarray) -> str:
    """A question about the values beyond all others that are too frequent to be measured."""
    distinct, rows = np.unique(numbers, return_counts=True)
    frequent = rows >= max(2, CODE_SHARE * len(numbers))
    codes = distinct[frequent & (distinct < 0)] if np.mean(numbers < 0) < OWN_LEVELS else distinct[:0]
    codes = codes[codes % 1 == 0] if (distinct[distinct < 0].size <= 5) else distinct[:0]
    top = distinct[-1]
    if len(distinct) > 2 and rows[-1] >= max(2, CODE_SHARE * len(numbers)) and top > 10 * max(abs(distinct[-2]), 9):
        codes = np.append(codes, top)
    if not len(codes):
        return ""
    return f"are {', '.join(f'{code:.15g}' for code in codes)} codes for missing?"
