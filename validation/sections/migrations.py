"""How customers moved between grades, from one table to another or from the first period to the last."""

from typing import Any

import pandas as pd

from validation.sections.json_types import known, listed
from validation.sections.section import Part, Subject
from validation.statistics.migrations import bandwidths, matrix_of, towards_diagonal
from validation.statistics.multiple import holm

NO_MIGRATIONS = "no second table is given (--previous FILE with the same ids), and no id is in several periods"


def make(subject: Subject) -> Part:
    """The matrix, the best grade first, its bandwidths, and the cells that are larger than their inner neighbour."""
    its = subject.migrations
    if its is None:
        return Part(None, NO_MIGRATIONS)
    grades = len(subject.rating)
    labels = list(subject.rating.labels)[::-1]
    matrix = matrix_of(grades - 1 - its.before, grades - 1 - its.after, grades)
    width = bandwidths(matrix)
    z, p = towards_diagonal(matrix)
    adjusted = holm(p.ravel()).reshape(p.shape)
    odd = [
        {"from": labels[i], "to": labels[j], "z": z[i, j], "p": p[i, j], "adjusted_p": adjusted[i, j]}
        for i in range(grades)
        for j in range(grades)
        if p[i, j] <= 0.05
    ]
    figure: dict[str, Any] = {
        "between": its.words,
        "grades": labels,
        "matrix": [listed(row) for row in matrix.astype(int)],
        "customers": len(its.before),
        "stayed": int((its.before == its.after).sum()),
        "gone": its.gone,
        "new": its.new,
        "upper": width.upper,
        "lower": width.lower,
        "odd": odd,
        "cells": int((~pd.isna(p)).sum()),
    }
    table = pd.DataFrame(matrix.astype(int), index=labels, columns=labels).rename_axis("From").reset_index()
    return Part(known(figure), tables={"migrations": table})
