"""reasons.bin and what the manifest says of it: built and compared with the leaf rule, or left out with why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.certificate.comparison import Session, ask_graph
from export.converters.classifier import boosters_of
from export.documents import ComparedReasons, ManifestReasons, ReasonsBasis, ReasonsPlayer, SelfCheckEntry
from export.graph.pipeline import Contract
from export.reasons.rule import contributions_by_covers, contributions_by_rule
from export.reasons.texts import texts_of
from runtime.digest import sha256
from runtime.tables import Tables
from training.artifacts import Artifacts
from training.estimator.crossfit import mean_margin
from training.estimator.preparation import Preparation
from training.players import players_of
from training.reason_points import METHODS, Line, line_of
from training.reasons import LEAST_ROWS, ReferenceRows
from training.settings import Settings
from training.settings.reasons import AT_CUTOFF, COVERS, NAMED, TREE_PATH
from trees.reasons.build import Plan, build, plan
from trees.reasons.columns import Columns, columns_of
from trees.reasons.covers import Covers
from trees.reasons.file import content_of
from trees.reasons.reference import Reference

COMPARED = 200  # applicants, and as many reference rows
LARGEST_DIFFERENCE = 2e-7  # of margin: tables hold float32, and are added in float64
# XGBoost adds some hundred leaves in float32; the tables' mean and contributions are exact.
LARGEST_GAP = 2e-4
LARGEST_MEAN = 1e-6  # of a player over the reference rows
ADDED_ROWS = 2_000

RawRows = tuple[NDArray[np.float64], NDArray[np.object_]]
"""Raw numbers [N, n] and categories [N, c]."""
Positions = NDArray[np.intp]


@dataclass(frozen=True)
class BuiltReasons:
    """The file with what the manifest and the certificate say of it; only `why` for a model without reasons."""

    why: str = ""
    content: bytes = b""
    record: ManifestReasons | None = None
    compared: ComparedReasons | None = None


@dataclass(frozen=True)
class Subject:
    """Subject of the explanation: trees in terms of raw values, rows to compare on, and a second implementation."""

    columns: Columns
    players: list[ReasonsPlayer]
    sample: RawRows
    reference: RawRows
    numbers_of: Callable[[RawRows], NDArray[np.float64]]
    """Inputs of the axes of `columns` for raw rows: the raw numbers, and the ranks of an order."""
    by_rule: Callable[[Positions, Positions], NDArray[np.float64]]
    """Contributions of some rows of the sample against some reference rows, leaf by leaf."""
    margins: NDArray[np.float64]
    """Mean margin over boosters for the first rows of the sample."""
    line: Line
    made: bytes = b""
    """Graph of the numbers behind the raw ones, where `numbers_of` adds some."""


def build_reasons(
    artifacts: Artifacts,
    settings: Settings,
    contract: Contract,
    session: Session,
    graph: str,
    rows: ReferenceRows | None,
    show: Callable[[str], None] = lambda _: None,
) -> BuiltReasons:
    """Tables of the graph with that sha256 against the reference rows; what is not shown exact is left out."""
    preparation: Preparation = artifacts.pipeline[0]
    if rows is None:
        return BuiltReasons(f"fewer than {LEAST_ROWS} training rows to compare applicants with")
    players = players_of(preparation, settings.reason_groups)
    sample, reference = artifacts.sample, rows.frame

    def by_rule(some: Positions, others: Positions) -> NDArray[np.float64]:
        boosters, applicants = boosters_of(artifacts.pipeline[1]), preparation.transform(sample.iloc[some])
        if settings.reasons.method == TREE_PATH:
            return contributions_by_covers(boosters, players.of_column, applicants)
        compared_with = preparation.transform(reference.iloc[others])
        return contributions_by_rule(boosters, players.of_column, applicants, compared_with)

    subject = Subject(
        columns=columns_of(contract.ensembles, players.columns, players.of_source),
        players=[_player(preparation, player.name, player.features, player.is_group) for player in players.players],
        sample=raw_rows(preparation, sample),
        reference=raw_rows(preparation, reference),
        numbers_of=lambda raw: raw[0],
        by_rule=by_rule,
        margins=mean_margin(ask_graph(session, preparation.raw_inputs(sample.iloc[:ADDED_ROWS])).margin),
        line=line_of(artifacts.pipeline[1]),
    )
    return explain(subject, settings, rows, graph, show)


def explain(
    subject: Subject, settings: Settings, rows: ReferenceRows, graph: str, show: Callable[[str], None] = lambda _: None
) -> BuiltReasons:
    """The tables of a subject against its reference `rows`. What is not shown exact is left out."""
    show("cutting")
    planned = plan(subject.columns)
    if planned.size > settings.reasons.limit * 1e6:
        return BuiltReasons(
            f"reasons.bin would take {planned.size / 1e6:.3g} MB, more than reasons.limit = "
            f"{settings.reasons.limit:g}: unite features in [reason_groups], fit shallower trees, or raise the limit"
        )
    file_of = _Files(planned, subject, graph, by_covers=settings.reasons.method == TREE_PATH)
    show("tables")
    content, tables = file_of(subject.reference, lambda share: show(f"tables, {share:.0%}"))
    show("second implementation")
    compared = _compare(subject, file_of)
    _add_up(compared, tables, subject, by_covers=file_of.by_covers)
    if why := _why_not(compared):
        return BuiltReasons(why)
    record: ManifestReasons = {
        "file": {"sha256": sha256(content), "bytes": len(content)},
        "basis": _basis(settings, rows, adds_up=subject.line.adds_up),
        "slope": subject.line.slope,
        "intercept": subject.line.intercept,
        "values": settings.reasons.values,
        "players": subject.players,
        "texts": texts_of(settings),
    }
    return BuiltReasons("", content, record, compared)


def explain_self_check(built: BuiltReasons, rows: list[SelfCheckEntry]) -> None:
    """Add their contributions to the self-check rows."""
    tables = Tables.parse(built.content)
    for row in rows:
        numbers = [np.nan if n is None else n for n in row["numbers"]]
        row["contributions"] = tables.contributions(numbers, row["categories"]).tolist()


def raw_rows(preparation: Preparation, frame: Any) -> RawRows:
    """Raw numbers [N, n] and categories [N, c]."""
    raw = preparation.raw_inputs(frame)
    return raw["numbers"], raw.get("categories", np.empty((len(frame), 0), dtype=object))


class _Files:
    """Files of one plan against several sets of reference rows."""

    def __init__(self, planned: Plan, subject: Subject, graph: str, *, by_covers: bool) -> None:
        self._planned, self._subject, self._graph = planned, subject, graph
        self.by_covers = by_covers

    def __call__(self, raw: RawRows, progress: Callable[[float], None] = lambda _: None) -> tuple[bytes, Tables]:
        columns, numbers = self._planned.columns, self._subject.numbers_of(raw)
        built = build(
            self._planned, Covers(columns) if self.by_covers else Reference(columns, numbers, raw[1]), progress
        )
        content = content_of(built, len(self._subject.players), self._graph, self._subject.made)
        return content, Tables.parse(content)


def _compare(subject: Subject, file_of: _Files) -> ComparedReasons:
    """Tables against some of the reference rows beside the leaf rule, row by row."""
    rng = np.random.default_rng(0)
    sample, reference = (
        np.sort(rng.permutation(len(rows[0]))[:COMPARED]) for rows in (subject.sample, subject.reference)
    )
    _, tables = file_of(_some(subject.reference, reference))
    found = tables.contributions_of(*_some(subject.sample, sample))
    expected = np.zeros_like(found)
    by_rule = subject.by_rule(sample, reference)
    expected[:, : by_rule.shape[1]] = by_rule
    same, near = 0, 0
    for ours, its in zip(found, expected, strict=True):
        order = np.sort(its)[::-1]
        near += bool(len(order) > 4 and order[3] - order[4] <= 2 * LARGEST_DIFFERENCE)
        same += set(np.argsort(-ours)[:4]) == set(np.argsort(-its)[:4])
    return {
        "rows": len(found),
        "reference_rows": 0 if file_of.by_covers else len(reference),
        "tolerance": LARGEST_DIFFERENCE,
        "largest_difference": float(np.abs(found - expected).max(initial=0)),
        "same_top_four": same,
        "tied_top_four": near,
        "added_rows": 0,
        "largest_gap": 0.0,
        "largest_mean": 0.0,
    }


def _some(rows: RawRows, positions: Positions) -> RawRows:
    return rows[0][positions], rows[1][positions]


def _add_up(compared: ComparedReasons, tables: Tables, subject: Subject, *, by_covers: bool) -> None:
    """The file's own tables: contributions and mean beside the margins, and their mean over the reference rows."""
    margins = subject.margins
    sums = tables.mean + tables.contributions_of(*_some(subject.sample, np.arange(len(margins)))).sum(axis=1)
    compared["added_rows"] = len(sums)
    compared["largest_gap"] = float(np.abs(sums - margins).max(initial=0))
    if not by_covers:
        means = tables.contributions_of(*subject.reference).mean(axis=0)
        compared["largest_mean"] = float(np.abs(means).max(initial=0))


def _why_not(compared: ComparedReasons) -> str:
    """Findings beyond a tolerance, in words; empty if all agree."""
    if not compared["largest_difference"] <= LARGEST_DIFFERENCE:
        return (
            f"contributions differ by up to {compared['largest_difference']:.1e} of margin from the second "
            f"implementation, the tolerance is {LARGEST_DIFFERENCE:.0e}"
        )
    if compared["same_top_four"] + compared["tied_top_four"] < compared["rows"]:
        return "the four largest contributions are not those of the second implementation"
    if not compared["largest_gap"] <= LARGEST_GAP:
        return f"contributions miss the margin by up to {compared['largest_gap']:.1e}"
    if not compared["largest_mean"] <= LARGEST_MEAN:
        return f"contributions have a mean of up to {compared['largest_mean']:.1e} over the reference rows"
    return ""


def _basis(settings: Settings, rows: ReferenceRows, *, adds_up: bool) -> ReasonsBasis:
    reasons = settings.reasons
    basis: ReasonsBasis = {
        "method": METHODS[reasons.method],
        "reference": reasons.reference if reasons.reference in NAMED else "own",
        "reference_rows": len(rows.frame),
        "reference_total": rows.total,
        "adds_up": adds_up,
    }
    if reasons.method == TREE_PATH:
        basis["reference"], basis["reference_rows"], basis["reference_total"] = COVERS, 0, 0
    elif rows.weighted:
        basis["reference_weighted"] = True
    if reasons.reference == AT_CUTOFF and reasons.cutoff is not None:
        basis["reference_scores"] = [reasons.cutoff, reasons.cutoff + reasons.window]
    return basis


def _player(preparation: Preparation, name: str, features: tuple[str, ...], is_group: bool) -> ReasonsPlayer:
    is_maximum = name in (preparation.row_max or {}) and not is_group
    kind = "group" if is_group else "maximum" if is_maximum else "feature"
    return {"name": name, "kind": kind, "features": list(features)}
