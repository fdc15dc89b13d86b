"""artifacts/report.html: one page with the figures, the pictures and the bands of a run. It needs no network."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

METRICS = {
    "rows": "Applicants",
    "defaults": "Defaults",
    "default_rate": "Default rate",
    "mean_probability": "Mean predicted probability",
    "roc_auc": "ROC-AUC",
    "gini": "Gini",
    "ks": "Kolmogorov-Smirnov",
    "pr_auc": "PR-AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "brier_reliability": "Brier: reliability",
    "brier_resolution": "Brier: resolution",
    "brier_uncertainty": "Brier: uncertainty",
    "ece": "Expected calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "on_limit": "Share of probabilities on a limit",
    "precision": "Precision at the threshold",
    "recall": "Recall at the threshold",
    "f1": "F1 at the threshold",
}
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1, h2 { font-weight: 600; line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd }
table { border-collapse: collapse; margin: 1rem 0 } th, td { padding: .25rem .8rem; text-align: right }
th { border-bottom: 2px solid #444 } tr:nth-child(even) td { background: #f6f6f6 }
th:first-child, td:first-child { text-align: left; white-space: nowrap } svg { max-width: 100%; height: auto }
code { background: #f3f3f3; padding: 0 .2rem } .note { color: #666 }
@media print { body { margin: 0; font-size: 11px } h2 { break-after: avoid } svg, table { break-inside: avoid } }
"""


def page(
    run: Mapping[str, Any],
    metrics: Mapping[str, Mapping[str, float]],
    bands: Mapping[str, pd.DataFrame],
    pictures: Sequence[tuple[str, str]],
) -> str:
    """The HTML of a run: `bands` by sample (test, train), `pictures` as (what it shows, SVG)."""
    data, settings = run["data"], run["settings"]
    dropped = data["dropped_rows"]
    parts = [
        f"<p>{data['rows']:,} applicants from <code>{escape(data['source'])}</code> "
        f"(sha256 <code>{data['sha256'][:16]}…</code>)"
        + (f", {dropped:,} more without a target were left out" if dropped else "")
        + f". Estimator {settings['model']['estimator']}, {settings['model']['folds']} folds, "
        f"calibration {run['calibration']['chosen']}, seed {settings['split']['seed']}.</p>",
        "<h2>Figures</h2>",
        _metrics_table(metrics),
        f"<p class=note>Threshold: a probability of default of {settings['evaluation']['threshold']:g}.</p>",
    ]
    parts += ["<h2>Pictures</h2>"] if pictures else []
    for title, svg in pictures:
        body = svg[svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
        parts.append(body)
    for sample, table in bands.items():
        parts += [f"<h2>Score bands, {sample}</h2>", _band_table(table)]
    versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
    parts += ["<h2>Versions</h2>", f"<p>{escape(versions)}</p>"]
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>Credit-default model</title>\n<style>{STYLE}</style>\n<h1>Credit-default model</h1>\n"
        + "\n".join(parts)
        + "\n</html>\n"
    )


def _metrics_table(metrics: Mapping[str, Mapping[str, float]]) -> str:
    head = "".join(f"<th>{escape(sample)}" for sample in metrics)
    rows = "".join(
        f"<tr><td>{title}" + "".join(f"<td>{figure(figures[name])}" for figures in metrics.values())
        for name, title in METRICS.items()
    )
    return f"<table><thead><tr><th>{head}</thead><tbody>{rows}</tbody></table>"


def _band_table(table: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(name)}" for name in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{_cell(value)}" for value in row) for row in table.itertuples(index=False))
    return f"<table><thead><tr>{head}</thead><tbody>{rows}</tbody></table>"


def figure(value: float | None) -> str:
    """Whole numbers whole, others with four decimals; small ones with two digits that count."""
    if value is None or value != value:
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "–" if value != value else f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
