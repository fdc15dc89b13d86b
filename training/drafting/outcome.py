"""The column of the outcome, and those of its values that mean a default."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cli.errors import UserError
from cli.words import did_you_mean, listed, shown
from table.words import folded, plain
from training.drafting.cells import Cells

FEW = 20  # values of an outcome at most
NAMED = re.compile(
    r"default|target|outcome|delinq|dlq|charged?_?off|fully.?paid|repaid|bankrupt|creditability|credit_?risk"
    r"|risk_?(flag|performance|class)|loan_?(status|repaid)|good_?bad|bad_?(flag|good|client|loan)?$|^(gb|bad|kredit)"
    r"|^good_?(customer|client|loan|payer|credit)?$|insolv|inadimpl|ausfall|ausgefall|geplatzt|^def$|^npa$|incumpl|impago|mora$|npl|write_?off|non_?perform|seriousdlq"
    r"|impay[ée]|d[ée]faut|^verlust|verzug|morosidad|^moros[oa]?$|insolut|sofferenz|wanbetal|niesp[łl]ac",
    re.I,
)
MAYBE = re.compile(
    r"^(class|label|y|status|result|response|card|approved?|deny|denied|risk|good|flag|esito|stato|situa[cç][aã]o|estado|zustand|statut)$|status$|_flag$",
    re.I,
)
OF_ANYTHING = re.compile(r"[ _-](status|flag)$", re.I)  # of a listing or a verification as well as of a loan
WHOLE_NAME = re.compile(r"^(class|label|y|status|result|response|risk|good|flag)$", re.I)
CONVINCING = 2  # score
OF_GOOD = re.compile(r"(?<!not.)(?<!non.)(?<!un)(good|paid|repaid|approv|accept|creditability|^card$)", re.I)
BAD = re.compile(
    r"\b(bad|default(ed)?|charged?[ -]?off|loss|late|written[ -]off|write[ -]off|delinquent|chgoff|past due|arrears"
    r"|bankrupt(cy)?|non[ -]?performing|unpaid|insolvent|high risk|ausfall|ausgefallen|schlecht|malo|moroso|incumplido"
    r"|impago|mauvais|d[ée]faut|impay[ée]|inadimplente|ruim|mau|cattivo|insoluto|sofferenza)\b",
    re.I,
)
GOOD = re.compile(
    r"\b(good|(fully |full )?paid( off| in full|off)?|repaid|p i f|pif|completed|no default|non[ -]default|no[ -]loss"
    r"|performing|not? bad|not default(ed)?|low risk|solvent|zurückgezahlt|getilgt|gut|bueno"
    r"|pagado|bon|rembours[ée]|adimplente|bom|pago|buono|rimborsato"
    r"|settled|redeemed|abgelöst|estinto|quitado|liquidado|saldad[oa]|sold[ée]|voldaan|afgelost)\b",
    re.I,
)
UNDECIDED = re.compile(
    r"\b(current|grace|issued|open|active|cancell?ed|pending|in progress|laufend|vigente|en cours|in corso"
    r"|live|running|ongoing|outstanding|aktiv|in bonis|em dia|ativo|em andamento|en curso|al d[ií]a|lopend)\b",
    re.I,
)
TRUE = {"1", "true", "t", "yes", "y", "s", "si", "sí", "sim", "oui", "ja", "j"}


@dataclass(frozen=True)
class Candidate:
    """A column that may be the target: its values, the most frequent first, those of a default and of repayment.

    `question` is what is not known about them; `score` is the strength of the evidence for the column.
    """

    name: str
    values: tuple[str, ...]
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    question: str
    score: int

    @property
    def settles(self) -> bool:
        """True if it is known which rows defaulted and which repaid."""
        return len(self.values) == 2 or bool(self.positive and self.negative)


def candidates(columns: Sequence[Cells]) -> list[Candidate]:
    """Columns that may be the target, the likeliest first: of two values, or with words of outcomes."""
    found = []
    for place, cells in enumerate(columns):
        if not 2 <= len(cells.levels) <= FEW or cells.time is not None:
            continue
        positive, negative, question, words = _outcomes(cells)
        named = 2 if NAMED.search(_joined(cells.name)) else 1 if MAYBE.search(cells.name) else 0
        said = cells.plain_values is None and bool(positive or negative) and named > 0
        if len(cells.levels) == 2 or (positive and negative) or said or (named == 2 and not _is_count(cells)):
            at_edge = place == len(columns) - 1 or (place == 0 and named)
            edge = 1 if named < 2 and at_edge and not OF_ANYTHING.search(cells.name) else 0
            score = named + edge + (2 if words else 0) - (0 if len(cells.levels) == 2 or words else 1)
            found.append(Candidate(cells.name, tuple(cells.by_rows), positive, negative, question, score))
    return sorted(found, key=lambda each: -each.score)


def convincing(found: Sequence[Candidate]) -> Candidate | None:
    """The one candidate of the highest score, if much speaks for it, or its whole name and there is no other."""
    first = found[0]
    if len(found) == 1:
        return first if _is_named(first) else None
    return None if first.score == found[1].score or first.score < CONVINCING else first


def nothing_speaks_for(found: Sequence[Candidate]) -> bool:
    """True if no column's name or values are those of an outcome: the file may well have none."""
    return not any(map(_is_named, found))


def _is_named(its: Candidate) -> bool:
    return its.score >= CONVINCING or any(name.search(_joined(its.name)) for name in (NAMED, WHOLE_NAME))


def named(name: str, columns: Sequence[Cells], target: str, positive: Sequence[str]) -> Candidate:
    """The column that the user names as the target, with the values of a default where they are named too.

    Raises UserError if it cannot be one.
    """
    cells = next((cells for cells in columns if cells.name == target), None)
    if cells is None:
        raise UserError(
            f"{name}: no column {target} (--target); {did_you_mean(target, [each.name for each in columns])}"
        )
    if not 2 <= len(cells.levels) <= FEW:
        problem = f"expected an outcome of two to {FEW} values, found {len(cells.levels):,} (--target); name another"
        raise UserError(f"{name}: column {target}: {problem}")
    bad, good, question, _ = _outcomes(cells)
    if positive:
        wanted = {plain(value) for value in positive}
        absent = [value for value in positive if plain(value) not in map(plain, cells.levels)]
        if absent:
            found = f"found: {listed(sorted(cells.levels))}"
            raise UserError(
                f"{name}: target {target}: no row has {shown(absent[0])} (--positive), {found}; name some of them"
            )
        bad = tuple(level for level in cells.by_rows if plain(level) in wanted)
        others = tuple(level for level in cells.by_rows if plain(level) not in wanted)
        if not others:
            raise UserError(f"{name}: target {target}: every value is one of a default (--positive); name fewer")
        good, question = _others(others)
    return Candidate(target, tuple(cells.by_rows), bad, good, question, 9)


def _others(others: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The values of repayment where those of a default are named, none for a single other value; and a question.

    Left out are values of loans that are not at their end, and words of a default that are not among the named ones.
    """
    left = tuple(value for value in others if UNDECIDED.search(_spaced(value)) or _is_bad(value))
    good = tuple(value for value in others if value not in left)
    if not good:  # what is not a default has to be repayment
        asked = f"is {others[0]} repayment" if len(others) == 1 else f"are {', '.join(others)} repayment"
        return (() if len(others) == 1 else others), f"{asked}, or is the outcome of such rows open?"
    questions = []
    if left:
        questions.append(f"rows with {', '.join(left)} are left out: is their outcome open, or a default?")
    if unknown := [value for value in good if len(others) > 1 and not GOOD.search(_spaced(value))]:
        questions.append(f"{'is' if len(unknown) == 1 else 'are'} {', '.join(unknown)} repayment?")
    return (good if len(others) > 1 else ()), " ".join(questions)


def _is_count(cells: Cells) -> bool:
    """True for numbers beyond 0 and 1, such as how many delinquencies there were."""
    return cells.plain_values is not None and len(cells.levels) > 3


def _outcomes(cells: Cells) -> tuple[tuple[str, ...], tuple[str, ...], str, bool]:
    """The values of a default, those of repayment, a question, and whether the values are words of outcomes."""
    values = cells.by_rows
    good = [value for value in values if GOOD.search(_spaced(value)) and not _is_bad(value)]
    bad = [value for value in values if _is_bad(value)]
    if len(values) > 2:
        good = [value for value in good if not UNDECIDED.search(_spaced(value))]
        bad = [value for value in bad if not UNDECIDED.search(_spaced(value))]
        left = [value for value in values if value not in (*good, *bad)]
        question = f"rows with {', '.join(left)} are left out: is their outcome open?" if left else ""
        return tuple(bad), tuple(good), question, bool(good and bad)
    if len(bad) == 1 or len(good) == 1:
        positive = bad[0] if len(bad) == 1 else next(value for value in values if value != good[0])
        return (positive,), (), _others(tuple(value for value in values if value != positive))[1], True
    rarer = values[-1]
    true = next((value for value in values if folded(value) in TRUE), None)
    if OF_GOOD.search(cells.name) and true is not None:
        other = next(value for value in values if value != true)
        return (other,), (), f"{true} seems to be the good outcome: is it?", False
    if true == rarer and {folded(value) for value in values} != {"1", "2"}:
        return (rarer,), (), "" if NAMED.search(_joined(cells.name)) else f"is {rarer} the default?", False
    signs = set(values) == {"+", "-"}  # as only outcomes are written
    return (rarer,), (), f"{rarer} is the rarer value: is it the default?", signs


def _is_bad(value: str) -> bool:
    """True for words of a default that are not denied."""
    spaced = _spaced(value)
    if re.search(r"\b(non[ -]?perform|(not|non)[ -]?(fully )?paid)", spaced, re.I):
        return True
    return BAD.search(spaced) is not None and re.search(r"\b(no|not|non)\b", spaced, re.I) is None


def _joined(name: str) -> str:
    """`Loan status` and a name of two lines as `Loan_status`."""
    return "_".join(name.split())


def _spaced(value: str) -> str:
    """`CHGOFF_2` and `ChargedOff` as words."""
    return re.sub(r"[_\s]+|(?<=[a-z])(?=[A-Z])", " ", value)
