"""The TOML of a draft: settings that were found, and open points as questions in comments."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from storage.address import is_remote
from table.settings import Data, Feature
from training.drafting.guess import ISO, WEIGHT, Guess
from training.drafting.outcome import Candidate, nothing_speaks_for
from training.drafting.strays import Strays

CHOOSE = "CHOOSE one of"
VALUES = 8
NO_STRAYS = '# exclude = { COLUMN = ["value"] }  # are there rows that no model should see, such as tests or staff?'
NO_OUTCOME = (
    "# No outcome was detected: no column has the name or the values of one. A model cannot be trained without it."
)


@dataclass(frozen=True)
class Draft:
    """All that a draft says. `target` is None where it is not settled among the candidates `found`."""

    data: Data
    rows: int
    found: list[Candidate]
    target: Candidate | None
    guesses: list[Guess]
    left_out: dict[str, str]
    """Columns that are no features of any type, with the reason."""
    asked: dict[str, str]
    """Questions about settings of the table, by setting."""
    strays: Strays | None = None


def _id(draft: Draft) -> str:
    if draft.data.id:
        return f"id = {text(draft.data.id)}"
    own = [its.feature for its in draft.guesses if its.names_rows and its.reason is not None]
    texts_first = sorted(own, key=lambda feature: feature.type != "category")
    name = texts_first[0].name if own else None
    said = "no column identifies the rows" if name is None else f"is it {text(name)}, which differs in each row?"
    return f'id = ""  # {said}'


def page_of(draft: Draft, folder: Path) -> str:
    """The text of a draft, its file named from `folder`."""
    name = draft.data.file or ""
    head = [
        f"# Drafted from the {draft.rows:,} rows of {plain(Path(name).name)}. A question mark asks you.",
        "# Train with: python -m training.run --config THIS",
        "",
        "[data]",
        f"file = {text(name if is_remote(name) else located(Path(name), folder))}",
        *_written(draft),
        _id(draft),
        *_target(draft),
        *(f"# weight = {text(its.feature.name)}  # is it?" for its in draft.guesses if _is_weight(its)),
        *_exclude(draft.strays),
        "",
        "# Columns that the model may read, known when the decision is made. A description is shown in reports.",
        "[features]",
    ]
    body = [_feature(its) for its in draft.guesses if its.feature.name != draft.data.id]
    body += [f"# {key(name)}: {plain(reason)}" for name, reason in draft.left_out.items()]
    return "\n".join([*head, *body, "", *_split(draft)]) + "\n"


def _written(draft: Draft) -> list[str]:
    """Settings of the file's form that are not the default."""
    data, asked = draft.data, draft.asked
    lines = []
    for setting, value in (
        ("encoding", data.encoding),
        ("separator", data.separator),
        ("header", data.header),
        ("sheet", data.sheet),
        ("decimal", None if data.decimal == "." else data.decimal),
        ("thousands", data.thousands),
        ("missing", list(data.missing) or None),
        ("normalization", None if data.normalization == "none" else data.normalization),
    ):
        if value is not None:
            question = asked.get(setting) or (asked.get("marks", "") if setting in ("decimal", "thousands") else "")
            lines.append(f"{setting} = {_as_toml(value)}" + (f"  # {plain(question)}" if question else ""))
    return lines


def _target(draft: Draft) -> list[str]:
    if draft.target is not None:
        others = [each for each in draft.found if each is not draft.target and each.score >= 2]
        also = [f"# {plain(each.name)} may be the outcome as well: {_values(each)}" for each in others]
        return [*also, *_as_settings(draft.target)]
    likely = likeliest(draft.found)
    lines = [NO_OUTCOME] if nothing_speaks_for(draft.found) else []
    lines += ["# Which column is the outcome, and which of its values is a default?"]
    for each in draft.found[:VALUES]:
        lines += [f"# {line}" for line in _as_settings(each)]
    named = likely if likely[0].score > 1 else draft.found
    names = ", ".join(plain(each.name) for each in named[:VALUES])
    first = likely[0]
    positive = _one_or_list(first.positive) if first.settles else _choose(first)
    return [*lines, f"target = {text(f'{CHOOSE}: {names}')}", f"positive = {positive}"]


def _choose(its: Candidate) -> str:
    return text(f"CHOOSE of: {', '.join(its.values)}")


def likeliest(found: list[Candidate]) -> list[Candidate]:
    """The candidates of the highest score."""
    return [each for each in found if each.score == found[0].score]


def _as_settings(its: Candidate) -> list[str]:
    question = f"  # {plain(its.question)}" if its.question else ""
    lines = [f"target = {text(its.name)}  # {_values(its)}"]
    if not its.settles:
        asked = "  # which values are a default, and which repayment?"
        positive = _one_or_list(its.positive) if its.positive else _choose(its)
        return [*lines, f"positive = {positive}{asked}", 'negative = "CHOOSE of the others"']
    lines.append(f"positive = {_one_or_list(its.positive)}{'' if its.negative else question}")
    if its.negative:
        lines.append(f"negative = {_one_or_list(its.negative)}{question}")
    return lines


def _as_toml(value: str | int | list[str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    return text(value) if isinstance(value, str) else str(value)


def _is_weight(its: Guess) -> bool:
    return WEIGHT.search(its.feature.name) is not None and its.feature.type == "number"


def _exclude(strays: Strays | None) -> list[str]:
    if strays is None:
        return [NO_STRAYS]
    if not strays.values:
        return [f"# {plain(line)}: delete {'it' if len(strays.rows) == 1 else 'them'}" for line in strays.in_words()]
    named = ", ".join(f"{key(name)} = [{', '.join(map(text, its))}]" for name, its in strays.values.items())
    return [*(f"# {plain(line)}: is that right?" for line in strays.in_words()), f"exclude = {{ {named} }}"]


def _values(its: Candidate) -> str:
    more = f" and {len(its.values) - VALUES} more" if len(its.values) > VALUES else ""
    return f"its values: {', '.join(plain(text(value)) for value in its.values[:VALUES])}{more}"


def _one_or_list(values: tuple[str, ...]) -> str:
    return text(values[0]) if len(values) == 1 else f"[{', '.join(map(text, values))}]"


def _feature(its: Guess) -> str:
    line = f"{key(its.feature.name)} = {{ {', '.join(_definition(its.feature))} }}"
    if its.reason is not None:
        return f"# {line}  # {plain(its.reason)}"
    return line + (f"  # {plain(its.remark)}" if its.remark else "")


def _definition(feature: Feature) -> list[str]:
    parts = [f'type = "{feature.type}"']
    if feature.special:
        written = feature.special if feature.type == "number" else tuple(map(text, feature.special))
        parts.append(f"special = [{', '.join(written)}]")
    for name, words in (("true", feature.true), ("false", feature.false)):
        if words:
            parts.append(f"{name} = [{', '.join(map(text, words))}]")
    return [*parts, 'description = ""']


def _split(draft: Draft) -> list[str]:
    lines = ["[split]", "test_size = 0.25"]
    for its in draft.guesses:
        name = its.feature.name
        if its.times and name != draft.data.id:
            written = [form for form in its.times if form != ISO]
            lines += [f"# Is {plain(name)} the time of the application? Then the latest applicants are the test:"]
            lines += ['# method = "time"', f"# time = {text(name)}"]
            if written:
                others = f"  # or {', '.join(written[1:])}?" if written[1:] else ""
                lines += [f"# time_format = {text(written[0])}{others}"]
        if its.recurs:
            lines += [f"# Should all rows of one {plain(name)} be in the same part, training or test?"]
            lines += ['# method = "group"', f"# group = {text(name)}"]
    return lines


def located(file: Path, folder: Path) -> str:
    """The path as `data.file` has it: relative to the TOML where it is below its folder."""
    file, folder = file.absolute(), folder.absolute()
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def text(value: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def key(name: str) -> str:
    """A column as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else text(name)


def plain(value: str) -> str:
    """Text as a comment may hold it: one line, no control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in value)
