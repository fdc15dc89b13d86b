"""The TOML of a draft: what was found as settings, what was not as questions in comments."""

import json
import re
from pathlib import Path

import numpy as np

from cli.errors import UserError
from cli.words import listed, shown
from table.header import UNNAMED
from training.drafting.guess import ID_NAME, candidates, convincing, guess, positive_of, suspected
from training.drafting.sample import Sample

CHOOSE = "CHOOSE one of"
VALUES = 8


def drafted(sample: Sample, folder: Path) -> str:
    """The draft for a sample, its file named from `folder`. Raises UserError where no column can be the target."""
    found = candidates(sample)
    if not found:
        few = "expected a column with two values, or with words such as Fully Paid and Charged Off"
        raise UserError(f"{sample.name}: no column can be the target: {few}; add the outcome")
    target = convincing(found)
    outcome, lines = _target(sample, found, target)
    guesses = [guess(name, cells) for name, cells in sample.columns.items() if name != target]
    identifier = next((its.name for its in guesses if its.reason and _names_rows(its.name, sample)), "")
    seen = f"all {sample.rows:,} rows" if sample.whole else f"{len(outcome):,} of {sample.rows:,} rows"
    head = [
        f"# Drafted from {seen} of {_plain(Path(sample.name).name)}. Lines that end in a question mark ask you.",
        "# Train with: python -m training.run --config THIS",
        "",
        "[data]",
        f"file = {_text(_from(Path(sample.name), folder))}",
        f"id = {_text(identifier)}" + ("" if identifier else "  # no column names the rows"),
        *lines,
        "",
        "# Every column that the model may read when the decision is made. A description is shown in reports.",
        "[features]",
    ]
    body, times = [], []
    for its in guesses:
        if its.name == UNNAMED:
            body.append("# The first column has no name: it is left out, as an index")
        if its.name in (UNNAMED, identifier):
            continue
        its = suspected(its, sample.columns[its.name], outcome)
        if its.time:
            times.append((its.name, its.time))
        line = f'{_key(its.name)} = {{ type = "{its.type}", description = "" }}'
        if its.reason is None and (target is not None or its.name not in _strong(found)):
            body.append(line + (f"  # {_plain(its.remark)}" if its.remark else ""))
        else:
            body.append(f"# {line}  # {_plain(its.reason or 'may be the target')}")
    if all(line.startswith("#") for line in body):
        raise UserError(f"{sample.name}: no column can be a feature: {listed([g.name for g in guesses])}; add some")
    return "\n".join([*head, *body, "", *_split(times)]) + "\n"


def _target(sample: Sample, found: dict[str, list[str]], target: str | None) -> tuple[np.ndarray, list[str]]:
    """0, 1 or -1 for each row, and the lines of the target."""
    size = len(next(iter(sample.columns.values())))
    lines = [
        f"# candidate {_text(name)}: {', '.join(_text(value) for value in values[:VALUES])}"
        for name, values in found.items()
    ]
    if target is None:
        strong = _strong(found) or list(found)
        return np.full(size, -1), [
            "# Which column is the outcome, and which of its values is a default?",
            *lines,
            f"target = {_text(f'{CHOOSE}: {listed(strong)}')}",
            f"positive = {_text(positive_of(found[strong[0]])[0])}",
        ]
    positive, known = positive_of(found[target])
    codes = [-1 if cell is None else int(cell == positive) for cell in sample.columns[target]]
    question = "" if known else "  # the rarer value: is it the default?"
    return np.array(codes), [
        *lines,
        f"target = {_text(target)}",
        f"positive = {_text(positive)}{question}",
    ]


def _strong(found: dict[str, list[str]]) -> list[str]:
    return [name for name, values in found.items() if convincing({name: values}) or len(values) > 2]


def _names_rows(name: str, sample: Sample) -> bool:
    cells = sample.columns[name]
    return ID_NAME.search(name) is not None and None not in cells and len(set(cells)) == len(cells)


def _split(times: list[tuple[str, str]]) -> list[str]:
    lines = ["[split]", "test_size = 0.25"]
    for name, form in times:
        lines += [f"# Is {_plain(shown(name))} the time of the application ({_plain(form)})?"]
        lines += ['# method = "time"', f"# time = {_text(name)}"]
    return lines


def _from(file: Path, folder: Path) -> str:
    """The path as `data.file` has it: relative to the TOML where it is below its folder."""
    file, folder = file.absolute(), folder.absolute()
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _plain(value: str) -> str:
    """Text as a comment may hold it: one line, no control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in value)
