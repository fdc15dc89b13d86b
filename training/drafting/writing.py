"""Form of a table's numbers, and its words for missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from table.amounts import OTHERS, Marks
from table.time_format import fitting
from table.words import folded, number_of
from training.drafting.cells import Cells

# Beside an empty cell, NA, NaN and null. Among numbers and dates each of them; among texts those of NOTHING.
NOTHING = frozenset(
    {"?", "n/a", "null", "nan", "na", "#n/a", "#na", "<na>", "n.a.", "n.a", "(null)", "#null!", ".", "..", "-", "--"}
    | {
        "k.a.",
        "k. a.",
        "keine angabe",
        "s/d",
        "sin dato",
        "n.d.",
        "n/d",
        "nd",
        "n.c.",
        "nc",
        "não informado",
        "ei tietoa",
    }
    | {"---", "#div/0!", "#value!", "#ref!", "not available", "\\n", "nat"}
)
AMONG_NUMBERS = NOTHING | frozenset(
    {"none", "unknown", "missing", "unk", "nil", "blank", "(blank)", "undefined", "not applicable", "not known", "inf"}
    | {"-inf", "infinity", "-infinity", "*", "**", "x", "xx", "#"}
)
A_QUESTION = frozenset(
    {"none", "unknown", "missing", "unk", "not known", "not applicable", "(blank)", "undefined", "non renseigné"}
    | {"non communiqué", "inconnu", "nicht angegeben", "unbekannt", "sconosciuto", "no informado", "desconocido"}
    | {"no consta", "desconhecido", "onbekend", "nieznany"}
)
TRUE_AND_FALSE = (
    *(("ja", "nein"), ("ja", "nee"), ("oui", "non"), ("si", "no"), ("sí", "no"), ("sì", "no"), ("sim", "não")),
    *(("j", "n"), ("o", "n"), ("v", "f"), ("w", "f"), ("vero", "falso"), ("waar", "onwaar")),
    *(("s", "n"), ("sim", "nao"), ("tak", "nie"), ("да", "нет"), ("evet", "hayır"), ("wahr", "falsch")),
    *(("vrai", "faux"), ("verdadero", "falso"), ("ano", "ne"), ("igen", "nem"), ("kyllä", "ei"), ("是", "否")),
)
NEARLY_ALL, HALF, FEW_WORDS, MANY_NUMBERS, MANY_CODES = 0.95, 0.5, 5, 20, 5
LOOKED_AT = 500  # different texts of a column, when the marks are looked for
POINT = Marks()


@dataclass(frozen=True)
class Writing:
    """Settings of the whole table; `asked` are questions about them, by setting."""

    marks: Marks = POINT
    missing: tuple[str, ...] = ()
    nfc: bool = False
    asked: dict[str, str] = field(default_factory=dict)


def writing_of(columns: Iterable[Cells], separator: str | None) -> Writing:
    """Form that fits all columns together."""
    texts = [cells for cells in columns if not (cells.is_number or cells.is_boolean or cells.time) and cells.levels]
    asked: dict[str, str] = {}
    marks = _marks(texts, separator, asked)
    # One of two texts is a value, whatever it looks like: + and -. So is a code among codes: NC and ND are states.
    values = {level for cells in texts if len(cells.levels) <= 2 and not _some(cells, marks) for level in cells.levels}
    values |= {level for cells in texts for level in cells.levels if _is_code(level, cells.levels)}
    missing: dict[str, None] = {}
    for cells in texts:
        missing |= dict.fromkeys(word for word in _words_for_missing(cells, marks, asked) if word not in values)
    nfc = any(_differ_in_form(cells.levels) for cells in texts)
    return Writing(marks, tuple(missing), nfc, asked)


def _marks(texts: Sequence[Cells], separator: str | None, asked: dict[str, str]) -> Marks:
    """Marks by which most columns are numbers."""
    usual, unusual = list[list[str]](), list[list[str]]()
    for cells in texts:
        levels = [level for level in cells.frequent(LOOKED_AT) if level.casefold() not in AMONG_NUMBERS]
        if _nearly(levels, POINT):
            usual.append(levels)
        elif levels and not fitting(levels):
            unusual.append(levels)
    best, most = POINT, 0
    for marks in sorted(OTHERS, key=lambda marks: marks.settings):
        gain = sum(_nearly(levels, marks) for levels in unusual)
        loss = sum(not _nearly(levels, marks) for levels in usual) if gain else 0
        if gain - loss > most or (gain and gain - loss == most and _is_rather(marks, best, unusual, separator)):
            best, most = marks, gain - loss
    if best != POINT:
        fit = [marks for marks in OTHERS if _fit_alike(marks, best, usual, unusual)]
        example = next(
            (level for levels in unusual if _nearly(levels, best) for level in levels if _is_marked(level)), ""
        )
        amounts = [marks.amount(example) for marks in (best, *fit)]
        values = list(dict.fromkeys(f"{amount.value:.15g}" for amount in amounts if amount))
        if len(values) > 1:
            asked["marks"] = f"is {example} {' or '.join(values)}?"
    return best


def _fit_alike(marks: Marks, best: Marks, usual: Sequence[list[str]], unusual: Sequence[list[str]]) -> bool:
    return all(_nearly(levels, marks) == _nearly(levels, best) for levels in (*usual, *unusual))


def _is_rather(marks: Marks, best: Marks, unusual: Sequence[list[str]], separator: str | None) -> bool:
    """True if marks that fit equally are preferred: commas before three digits mark thousands, unless `;` separates."""
    if separator == ";" and marks.decimal == "," and best.decimal == ".":
        return all(_nearly(levels, marks) for levels in unusual if _nearly(levels, best))
    if marks.settings != best.settings or marks.thousands != "," or best.decimal != "," or separator == ";":
        return False
    return all(_nearly(levels, marks) for levels in unusual if _nearly(levels, best))


def _nearly(levels: Sequence[str], marks: Marks) -> bool:
    read = sum(marks.amount(level) is not None for level in levels)
    return read > 0 and read >= NEARLY_ALL * len(levels)


def _some(cells: Cells, marks: Marks) -> bool:
    """True if some levels are numbers."""
    return any(marks.amount(level) is not None for level in cells.levels)


def _is_marked(level: str) -> bool:
    return number_of(level) is None and any(mark in level for mark in ",.' _\u00a0\u202f\u2009\u2019")


def _words_for_missing(cells: Cells, marks: Marks, asked: dict[str, str]) -> list[str]:
    if cells.plain_values is not None and marks == POINT:
        return []
    known = [level for level in cells.levels if level.casefold() in AMONG_NUMBERS]
    others = {level: int(rows) for level, rows in zip(cells.levels, cells.rows, strict=True) if level not in known}
    words = [level for level in others if marks.amount(level) is None]
    if len(words) == len(others) or not others:  # texts
        if others and fitting(list(others)[:LOOKED_AT]):
            return known
        return [level for level in known if level.casefold() in NOTHING]
    if not words:
        return known
    strange = sum(others[word] for word in words)
    are_words = len(words) <= FEW_WORDS and not any(map(str.isdigit, "".join(words)))
    most = HALF if len(others) - len(words) >= MANY_NUMBERS else 1 - NEARLY_ALL
    if not are_words or strange > most * sum(others.values()):
        return [level for level in known if level.casefold() in NOTHING]
    named = ", ".join(words)
    question = f"{named} {'is' if len(words) == 1 else 'are'} among the numbers of {cells.name}: missing?"
    asked["missing"] = f"{asked.get('missing', '')} {question}".strip()
    return known + words


def _is_code(word: str, levels: Sequence[str]) -> bool:
    """True for capitals, as many as nearly all other levels have: a state or a currency, not a word for missing."""
    if not (word.isalpha() and word.isupper() and word.casefold() in AMONG_NUMBERS):
        return False
    others = [level for level in levels if level.casefold() not in AMONG_NUMBERS]
    alike = sum(level.isalpha() and level.isupper() and len(level) == len(word) for level in others)
    return alike >= MANY_CODES and alike >= NEARLY_ALL * len(others)


def _differ_in_form(levels: Sequence[str]) -> bool:
    accented = [level for level in levels if not level.isascii()]
    return len({normalize("NFC", level) for level in accented}) < len(accented)


def words_of_truth(levels: Sequence[str]) -> tuple[str, str] | None:
    """The word for true and the one for false among two levels, in languages other than English."""
    by_word = {folded(level): level for level in levels}
    pairs = (pair for pair in TRUE_AND_FALSE if set(pair) == set(by_word))
    return next(((by_word[true], by_word[false]) for true, false in pairs), None)
