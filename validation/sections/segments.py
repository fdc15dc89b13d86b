"""Segment by segment: levels of columns that are features or not."""

import pandas as pd

from validation.sections.json_types import known
from validation.sections.section import Part, Subject
from validation.sections.slices import claims_of, entries_of

NO_SEGMENTS = "no segments were requested (--segment COLUMN)"
MOST_LEVELS = 200  # of a column; it is no segment otherwise


def make(subject: Subject) -> Part:
    """By column an entry for each level with rows enough."""
    if not subject.rows.segments:
        return Part(None, NO_SEGMENTS)
    figure, claims, tables = [], [], []
    for name, coded in subject.rows.segments.items():
        entries, hidden, without = entries_of(subject, coded)
        figure.append({"column": name, "levels": entries, "hidden": hidden, "rows_hidden": without})
        claims += claims_of("segments", name, entries)
        tables.append(pd.DataFrame(entries).assign(segment=name))
    return Part(
        known({"segments": figure, "least": subject.settings.least}),
        claims=claims,
        tables={"segments": pd.concat(tables, ignore_index=True)},
    )
