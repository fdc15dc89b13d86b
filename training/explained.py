"""The reasons that a fitted model would give to applicants of the test, as the report shows them.

The values are those that an export serves, leaf by leaf instead of in tables (trees.reasons.rows).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from cli.errors import UserError
from cli.words import isolated
from runtime.score import Bands
from training.contributions import boosters_of
from training.estimator.preparation import Preparation, row_maximum
from training.estimator.raw_thresholds import fold_log1p
from training.players import Player, Players, players_of
from training.reason_points import METHODS, Points, line_of
from training.reason_texts import said_of
from training.reasons import OWN_ROWS, REFERENCE_ROWS, ReferenceRows, drawn_rows, reference_rows
from training.settings import Settings
from training.settings.reasons import ALL, AT_CUTOFF, BEST, NAMED, NONE, TREE_PATH
from trees.ensemble import read_ensemble
from trees.reasons.columns import columns_of
from trees.reasons.rows import Raw, Rows
from validation.evidence import Part
from validation.reasons import (
    ReasonsEvidence,
    Waterfall,
    along,
    frequency,
    kept,
    principal,
    summary,
    waterfall,
)
from validation.sample import sampled_rows

SAMPLED, OF_BAND, DECLINED = 300, 25, 150  # applicants of the test
LOWEST_SHARE = 0.2  # of the test counts as declined where no cut-off is set
MOST_DEPENDENCES = 3
MOST_FREQUENT = 12
CHANGES = (0.01, 0.05)  # by how much all numbers change, at most

Named = list[list[int]]


def explained(
    settings: Settings, pipeline: Pipeline, parts: Mapping[str, Part], edges: Sequence[float], own: pd.DataFrame | None
) -> tuple[ReasonsEvidence | None, str]:
    """The evidence, or None and why there is no evidence; `own` are the applicants of a file that the settings name."""
    if settings.reasons.reference == NONE:
        return None, ""
    train, test = parts["train"], parts["test"]
    kept_rows = {REFERENCE_ROWS: drawn_rows(train.frame, train.score, settings.split.seed, train.weight)}
    if own is not None:
        kept_rows[OWN_ROWS] = drawn_rows(own, np.zeros(len(own)), settings.split.seed)
    try:
        reference = reference_rows(settings, kept_rows)
        if reference is None:
            return None, "The training part has too few rows to compare applicants with."
        return _Explained(settings, pipeline, test, kept_rows, reference).evidence(edges), ""
    except UserError as refused:  # the model is whole without them; an export says the same
        return None, f"{refused}."


@dataclass(frozen=True)
class _Asked:
    """Applicants of the test, by their positions, and what their numbers are multiplied by."""

    rows: NDArray[np.int64]
    change: float = 0.0


class _Explained:
    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        test: Part,
        kept_rows: Mapping[str, pd.DataFrame],
        reference: ReferenceRows,
    ) -> None:
        self._settings, self._test, self._kept, self._reference = settings, test, kept_rows, reference
        self._preparation: Preparation = pipeline[0]
        self._players: Players = players_of(self._preparation, settings.reason_groups)
        self._names = [player.name for player in self._players.players]
        ensembles = [fold_log1p(read_ensemble(booster), self._preparation) for booster in boosters_of(pipeline[1])]
        columns = columns_of(ensembles, self._players.columns, self._players.of_source)
        self._by_covers = settings.reasons.method == TREE_PATH
        self._interventional = Rows(columns, len(self._names))
        self._leaves = Rows(columns, len(self._names), by_covers=True) if self._by_covers else self._interventional
        self._line = line_of(pipeline[1])
        said = said_of(settings)
        self._said = [said[name] for name in self._names]
        self._inquiries = {i for i, its in enumerate(self._said) if its.inquiries}
        given = settings.reasons.cutoff
        self._cutoff = float(math.floor(_lowest(test, LOWEST_SHARE))) if given is None else given
        self._cutoff_by = (
            f"no reasons.cutoff is set: the lowest {LOWEST_SHARE:.0%} of the test".replace("%", "\N{NO-BREAK SPACE}%")
            if given is None
            else "reasons.cutoff"
        )

    def evidence(self, edges: Sequence[float]) -> ReasonsEvidence:
        test, seed, names = self._test, self._settings.split.seed, self._names
        labels = np.array(Bands(edges).labels)[np.searchsorted(Bands(edges).ends, test.score, side="right")]
        sampled = sampled_rows(len(test.score), SAMPLED, seed, test.weight)
        banded = np.concatenate([self._drawn(np.flatnonzero(labels == band), OF_BAND) for band in Bands(edges).labels])
        declined = self._drawn(np.flatnonzero(test.score < self._cutoff), DECLINED)
        shown = dict(self._typical())
        asked = [_Asked(sampled), _Asked(banded), _Asked(declined), _Asked(np.array(list(shown.values()), dtype=int))]
        asked += [_Asked(declined, change) for change in CHANGES]
        margins, mean = self._ask(self._leaves, asked, self._reference)
        points = Points(self._line, self._settings.score, mean)
        cents = [
            self._cents(points, its.rows, each, changed=its.change > 0)
            for its, each in zip(asked, margins, strict=True)
        ]
        of_sample = points.per_margin * margins[0]
        about = summary(names, of_sample)
        named = [self._principal(its) for its in cents]
        return ReasonsEvidence(
            method=METHODS[self._settings.reasons.method],
            reference=_whom(self._settings),
            rows=0 if self._by_covers else len(self._reference.frame),
            total=0 if self._by_covers else self._reference.total,
            adds_up=self._line.adds_up,
            cutoff=self._cutoff,
            cutoff_by=self._cutoff_by,
            sampled=len(sampled),
            of_band=OF_BAND,
            declined=len(declined),
            summary=about,
            dependence=self._dependence(about["Feature"].tolist(), sampled, of_sample),
            waterfalls=self._waterfalls(shown, points.base, cents[3]),
            frequency=self._frequency(Bands(edges).labels, labels[banded], named[1]),
            stability=self._stability(declined, named[2], dict(zip(CHANGES, named[4:], strict=True))),
            texts=self._texts(about["Feature"]),
        )

    def _drawn(self, rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
        weight = None if self._test.weight is None else self._test.weight[rows]
        return rows[sampled_rows(len(rows), most, self._settings.split.seed, weight)] if len(rows) else rows

    def _ask(
        self, leaves: Rows, asked: Sequence[_Asked], reference: ReferenceRows
    ) -> tuple[list[NDArray[np.float64]], float]:
        """The contributions [N, reasons] of each, asked for at once."""
        raw = [self._raw(self._test.frame.iloc[its.rows], its.change) for its in asked]
        together = np.concatenate([numbers for numbers, _ in raw]), np.concatenate([words for _, words in raw])
        found, mean = leaves.contributions(together, self._raw(reference.frame))
        return np.split(found, np.cumsum([len(its.rows) for its in asked])[:-1]), mean

    def _raw(self, frame: pd.DataFrame, change: float = 0.0) -> Raw:
        raw = self._preparation.raw_inputs(frame)
        numbers, words = raw["numbers"], raw.get("categories", np.empty((len(frame), 0), dtype=object))
        if change:
            factor = np.random.default_rng(self._settings.split.seed).uniform(1 - change, 1 + change, numbers.shape)
            whole = (np.isnan(numbers) | (np.round(numbers) == numbers)).all(axis=0)
            numbers = np.where(whole, np.round(numbers * factor), numbers * factor)
        return numbers, words

    def _cents(
        self, points: Points, rows: NDArray[np.int64], margins: NDArray[np.float64], *, changed: bool
    ) -> list[list[int]]:
        """Hundredths of points; of changed values they need not add up to a score that nobody has asked for."""
        if changed:
            return np.round(100 * points.per_margin * margins).astype(int).tolist()  # type: ignore[no-any-return]
        of_rows = zip(
            margins.tolist(), self._test.probability[rows].tolist(), self._test.score[rows].tolist(), strict=True
        )
        return [points.cents(*its) for its in of_rows]

    def _principal(self, cents: Sequence[Sequence[int]]) -> Named:
        return [principal(its, self._inquiries) for its in cents]

    def _typical(self) -> Iterator[tuple[str, int]]:
        """Titles and positions of the approved and the declined applicant in the middle, and one near the cut-off."""
        score = self._test.score
        order = np.argsort(score, kind="stable")
        below = int(np.searchsorted(score[order], self._cutoff))
        if below < len(order):
            yield "A typical approved applicant", int(order[(below + len(order)) // 2])
        if below > 0:
            yield "The declined applicant nearest to the cut-off", int(order[below - 1])
        if below > 1:
            yield "A typical declined applicant", int(order[(below - 1) // 2])

    def _waterfalls(self, shown: Mapping[str, int], base: int, cents: Sequence[Sequence[int]]) -> list[Waterfall]:
        found = []
        for (title, row), its in zip(shown.items(), cents, strict=True):
            frame = self._test.frame.iloc[[row]]
            labels = [self._label(player, frame) for player in self._players.players]
            found.append(waterfall(title, base, its, labels))
        return found

    def _label(self, player: Player, frame: pd.DataFrame) -> str:
        values = self._values(player, frame)
        if values is None or not self._settings.reasons.values:
            return isolated(player.name)
        value = values[0]
        shown = "missing" if pd.isna(value) else isolated(value) if isinstance(value, str) else _short(float(value))
        return f"{isolated(player.name)}: {shown}"

    def _values(self, player: Player, frame: pd.DataFrame) -> NDArray[np.float64] | NDArray[np.object_] | None:
        """The raw values [N] of a feature, the largest of a row maximum; None of a group."""
        if player.is_group:
            return None
        if player.name in self._preparation.vocabularies_:
            column = self._preparation.raw_inputs(frame)["categories"]
            words = column[:, list(self._preparation.vocabularies_).index(player.name)]
            return np.where(words == "", None, words)  # type: ignore[no-any-return,call-overload]
        members = frame[list(player.features)].to_numpy(dtype=np.float64)
        return members[:, 0] if members.shape[1] == 1 else row_maximum(members.astype(np.float32)).astype(np.float64)

    def _dependence(
        self, features: Sequence[str], rows: NDArray[np.int64], points: NDArray[np.float64]
    ) -> dict[str, pd.DataFrame]:
        found = {}
        for name in features:
            number = self._names.index(name)
            values = self._values(self._players.players[number], self._test.frame.iloc[rows])
            if values is not None and points[:, number].any():
                found[name] = along(values, points[:, number])
            if len(found) == MOST_DEPENDENCES:
                break
        return found

    def _frequency(self, bands: Sequence[str], labels: NDArray[np.str_], named: Named) -> pd.DataFrame:
        often = np.bincount([reason for its in named for reason in its], minlength=len(self._names))
        first = [self._names[i] for i in np.argsort(-often, kind="stable")[:MOST_FREQUENT] if often[i]]
        return frequency(self._names, bands, list(zip(labels.tolist(), named, strict=True)), first)

    def _stability(self, declined: NDArray[np.int64], named: Named, changed: Mapping[float, Named]) -> pd.DataFrame:
        rows: list[tuple[str, int | None, float, float]] = []
        if len(declined):
            others = (
                whom for whom in (ALL, AT_CUTOFF, BEST) if self._by_covers or whom != self._settings.reasons.reference
            )
            rows = [self._compared_with(whom, declined, named) for whom in others]
            for change, its in changed.items():
                title = f"all numbers within ±{change:.0%}".replace("%", "\N{NO-BREAK SPACE}%")
                rows.append((title, None if self._by_covers else len(self._reference.frame), *kept(named, its)))
        return pd.DataFrame(rows, columns=["Changed", "Reference rows", "Same four", "Same first"])

    def _compared_with(
        self, whom: str, declined: NDArray[np.int64], named: Named
    ) -> tuple[str, int | None, float, float]:
        cutoff = self._cutoff
        reasons = replace(self._settings.reasons, method="interventional", reference=whom, cutoff=cutoff)
        its = replace(self._settings, reasons=reasons)
        title = f"reference {whom}"
        try:
            reference = reference_rows(its, self._kept)
        except UserError:  # too few rows
            reference = None
        if reference is None:
            return title, None, float("nan"), float("nan")
        [margins], mean = self._ask(self._interventional, [_Asked(declined)], reference)
        points = Points(self._line, self._settings.score, mean)
        return (
            title,
            len(reference.frame),
            *kept(named, self._principal(self._cents(points, declined, margins, changed=False))),
        )

    def _texts(self, order: "pd.Series[str]") -> pd.DataFrame:
        """Text of each feature in answers, in this order."""
        texts = pd.DataFrame(
            {
                "Feature": self._names,
                "Code": [said.code or None for said in self._said],
                "Text": [" / ".join(said.text.values()) for said in self._said],
                "Where missing": [" / ".join(said.missing.values()) for said in self._said],
            },
            dtype=object,
        )
        return texts.set_index("Feature").loc[order.tolist()].reset_index()


def _whom(settings: Settings) -> str:
    reasons = settings.reasons
    if reasons.method == TREE_PATH:
        return "covers"
    if reasons.reference == AT_CUTOFF and reasons.cutoff is not None:
        return f"{AT_CUTOFF}, {reasons.cutoff:g} to {reasons.cutoff + reasons.window:g} points"
    return reasons.reference if reasons.reference in NAMED else "applicants of the user's file"


def _lowest(part: Part, share: float) -> float:
    """The score below which that share of the applicants is, by weight."""
    order = np.argsort(part.score, kind="stable")
    passed = np.cumsum(part.mass[order])
    return float(part.score[order][np.searchsorted(passed, share * passed[-1])])


def _short(value: float) -> str:
    return f"{value:,.0f}" if 1_000 <= abs(value) < 1e15 else f"{value:.4g}"
