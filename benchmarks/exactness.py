"""Certificates of every calibrator: the graph against the fitted pipeline."""

import json
from collections.abc import Iterator

from benchmarks.report import Row
from benchmarks.subject import subject

# By key of the figure: the name, and what `subject` takes.
FORMS = {
    "sigmoid": ("sigmoid on margins", ("cross-fit", "sigmoid", "margin")),
    "isotonic": ("isotonic on margins", ("cross-fit", "isotonic", "margin")),
    "cv-sigmoid": (
        "CalibratedClassifierCV, sigmoid on probabilities",
        ("calibrated-cv", "sigmoid", "probability"),
    ),
    "cv-isotonic": (
        "CalibratedClassifierCV, isotonic on probabilities",
        ("calibrated-cv", "isotonic", "probability"),
    ),
}
REACH = {"sigmoid": "≤ 4.5e-16", "isotonic": "0.0", "cv-sigmoid": "≤ 1e-7"}


def measure() -> Iterator[Row]:
    """Shares of bit-equal rows, and the largest difference in p."""
    totals = {
        key: json.loads((subject(*form).folder / "model/certificate.json").read_text())["total"]
        for key, (_, form) in FORMS.items()
    }
    share = min(total["margins_bit_equal"] / total["margins"] for total in totals.values())
    rows = min(total["rows"] for total in totals.values())
    what = f"margins bit-equal to XGBoost, {rows:,} certificate rows, every calibrator"
    yield Row(what, _percent(share), "100 %", "margins")
    for key, total in totals.items():
        what = f"largest difference in p, {FORMS[key][0]}"
        yield Row(what, f"{total['largest_probability_difference']:.1e}", REACH.get(key, ""), f"{key}-p")
    total = totals["cv-isotonic"]
    bits = _percent(total["probabilities_bit_equal"] / total["rows"])
    yield Row(f"rows bit-equal in p, {FORMS['cv-isotonic'][0]}", bits, "≥ 99.9 %", "cv-isotonic-bits")


def _percent(share: float) -> str:
    """A share that is below 1 does not read 100 %: it is cut, not rounded."""
    return f"{int(share * 1e6) / 1e4:g} %"
