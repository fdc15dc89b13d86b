"""The pictures: the same bytes, colours that differ in grey, and what they show against scikit-learn and SciPy."""

import re
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from tests.validation.report.sample import Sample
from validation.evidence import Part
from validation.report.plots.gallery import gallery
from validation.report.plots.ranking import POINTS_ON_A_CURVE, ranking, thinned
from validation.report.plots.style import GRID, INK, LEAST_CONTRAST, SOFT, TOGETHER, Picture

pytestmark = pytest.mark.tier("land")

COLOUR = re.compile(r"(?:stroke|fill): (#[0-9a-f]{6})")
NEUTRAL = {INK, SOFT, GRID, "#ffffff"}
LARGEST = 40_000  # bytes of one picture


@pytest.fixture(scope="module")
def pictures(everything: Sample) -> dict[str, Picture]:
    return gallery(everything.run, everything.evidence, everything.parts)


def lightness(colour: str) -> float:
    """CIE L*, 0 to 100, of an sRGB colour (IEC 61966-2-1, CIE 15)."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    y = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return 116 * y ** (1 / 3) - 16 if y > (6 / 29) ** 3 else y * (29 / 3) ** 3


def test_lightness_is_that_of_the_standard() -> None:
    assert lightness("#ffffff") == pytest.approx(100)
    assert lightness("#000000") == 0
    assert lightness("#777777") == pytest.approx(50.03, abs=0.01)


def test_every_idea_is_drawn(pictures: dict[str, Picture]) -> None:
    assert list(pictures)[:15] == [
        *("search", "roc", "precision_recall", "scores", "ks", "gains", "lift", "reliability", "bands"),
        *("approval", "profit", "score_shift", "feature_shift", "importance", "dependence_0"),
    ]


def test_the_same_run_gives_the_same_bytes(everything: Sample, pictures: dict[str, Picture]) -> None:
    assert gallery(everything.run, everything.evidence, everything.parts) == pictures


def test_pictures_are_small_and_well_formed(pictures: dict[str, Picture]) -> None:
    for picture in pictures.values():
        assert len(picture.svg) <= LARGEST, picture.name
        assert "<style" not in picture.svg
        drawn = " ".join(text for its in ElementTree.fromstring(picture.svg).iter() for text in its.attrib.values())
        assert not re.search(r"\b(nan|inf)\b", drawn), picture.name


def test_colours_of_one_picture_differ_in_grey(pictures: dict[str, Picture]) -> None:
    for picture in pictures.values():
        colours = sorted(set(COLOUR.findall(picture.svg)) - NEUTRAL)
        assert colours or picture.name == "search"
        for one, other in combinations(colours, 2):
            assert abs(lightness(one) - lightness(other)) >= LEAST_CONTRAST, (picture.name, one, other)
    for one, other in TOGETHER:
        assert abs(lightness(one) - lightness(other)) >= LEAST_CONTRAST


def test_what_is_said_is_what_was_measured(everything: Sample, pictures: dict[str, Picture]) -> None:
    test = everything.parts["test"]
    assert f"test {roc_auc_score(test.target, test.probability):.4f} (" in pictures["roc"].alt
    repaid, defaulted = test.score[test.target == 0], test.score[test.target == 1]
    assert f"KS {ks_2samp(repaid, defaulted).statistic:.4f}" in pictures["ks"].alt
    assert (
        f"{np.median(repaid):.0f} points, of those who defaulted {np.median(defaulted):.0f}" in pictures["scores"].alt
    )
    mean = pd.Series(test.target).groupby(test.probability).transform("mean")  # of equals, any may come first
    found = mean.iloc[np.argsort(-test.probability)].iloc[: len(mean) // 10].sum() / test.target.sum()
    assert f"the riskiest 10 % hold {100 * found:.1f}" in pictures["gains"].alt


def test_a_ranking_is_scikit_learn_s(everything: Sample) -> None:
    its = ranking(everything.parts["test"])
    trapezoids = np.diff(its.repaid) @ (its.defaulted[1:] + its.defaulted[:-1]) / 2
    test = everything.parts["test"]
    assert trapezoids == pytest.approx(roc_auc_score(test.target, test.probability), abs=1e-12)
    assert its.everybody[-1] == pytest.approx(1)
    assert its.precision[-1] == pytest.approx(test.target.mean())


def test_a_thinned_curve_is_the_curve() -> None:
    x = np.linspace(0, 1, 100_000)
    y = np.sin(20 * x) * np.exp(-3 * x)
    few_x, few_y = thinned(x, y)
    assert len(few_x) <= POINTS_ON_A_CURVE
    assert (few_x[0], few_x[-1]) == (x[0], x[-1])
    assert np.abs(np.interp(x, few_x, few_y) - y).max() < 0.005 * np.ptp(y)


@pytest.mark.parametrize("same", [0.5, 0.0, 1.0])
def test_a_model_with_one_probability_is_drawn(everything: Sample, same: float) -> None:
    """All probabilities equal, at the ends too."""
    target = np.array([0, 0, 0, 1] * 5, dtype=np.int8)
    part = Part(pd.DataFrame(), target, np.full(20, same), np.full(20, 600.0))
    parts = {"train": part, "test": part}
    evidence = replace(everything.evidence, intervals={}, stability={}, cutoffs=pd.DataFrame())
    for picture in gallery(everything.run, evidence, parts).values():
        assert not re.search(r"\bnan\b", picture.alt + picture.svg), picture.name


@pytest.mark.tier("full")
def test_without_plots_nothing_of_them_is_loaded(tmp_path: Path) -> None:
    words = ["--config", "examples/german_credit/settings.toml", "--out", str(tmp_path / "a"), "--n-estimators", "5"]
    code = f"import sys; from training import run; assert run.main({[*words, '--no-plots', '--quiet']}) == 0"
    code += "; assert 'validation.report.plots.style' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
    assert (tmp_path / "a/report.html").exists()
