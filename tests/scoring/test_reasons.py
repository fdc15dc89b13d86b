"""Points and reasons of many rows: those that the handler gives each of them alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from runtime.explain import load_explainer
from runtime.model import Model
from runtime.table_file import REASONS_FILE
from runtime.tables import Tables
from scoring.contributions import Contributions
from scoring.scorer import Scorer
from tests.applicants import SETTINGS, draw
from tests.model_folder import train_and_export

pytestmark = pytest.mark.tier("land")


@pytest.fixture(scope="module", params=["sigmoid", "isotonic"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with reasons, whose points add up to the score (sigmoid) or do not (isotonic)."""
    place = tmp_path_factory.mktemp("reasons")
    frame, target = draw(900)
    frame.assign(default=target, uuid=[f"a{i}" for i in range(900)]).to_csv(place / "table.csv", index=False)
    texts = "[reason_texts.age]\ninquiries = true\n[reason_texts.has_paid]\ninquiries = true\n"
    (place / "settings.toml").write_text(SETTINGS + texts)
    train_and_export(place, "--calibration", request.param, "--n-estimators", "20")
    return place / "model"


def rows(count: int) -> pd.DataFrame:
    """Applicants, some beyond all that training saw; the infinities of float32 among them."""
    frame, _ = draw(count, 5)
    chance = np.random.default_rng(6)
    for name, value in (("late_1", -3.5e38), ("late_2", -3.5e38), ("income", 1e300), ("age", -1.0)):
        frame.loc[chance.random(count) < 0.1, name] = value
    frame.loc[chance.random(count) < 0.1, "shop"] = "unseen"
    return frame


def test_contributions_have_the_bits_of_each_row_alone(folder: Path) -> None:
    model = Model.load(str(folder))
    file = model.manifest.document["reasons"]["file"]
    tables = Tables.read(str(folder), file["sha256"], model.manifest.sha256)
    frame = rows(300)
    numbers = np.column_stack([frame[feature.name].astype(float) for feature in model.manifest.numbers])
    words = [frame[feature.name].where(frame[feature.name].notna(), "") for feature in model.manifest.categories]
    categories = np.column_stack(words).astype(object)
    found = Contributions(*REASONS_FILE.parse((folder / "reasons.bin").read_bytes())).of(numbers, categories)
    alone = [tables.contributions(*row) for row in zip(numbers, categories.tolist(), strict=True)]
    assert found.tobytes() == np.array(alone).tobytes()


def test_points_and_reasons_are_the_handler_s(folder: Path) -> None:
    frame = rows(400)
    names = [feature.name for feature in Model.load(str(folder)).manifest.features]
    table = pa.Table.from_pandas(frame[names].assign(uuid="a"), preserve_index=False)
    scorer = Scorer.load(str(folder), explain=True)
    model = Model.load(str(folder))
    explainer = load_explainer(model)
    scored = scorer.score(table.combine_chunks().to_batches()[0]).rows.to_pylist()
    assert len(scored) == 400
    lengths = set()
    for its, answer in zip(frame.to_dict("records"), scored, strict=True):
        numbers = [float(its[feature.name]) for feature in model.manifest.numbers]
        words: list[Any] = [its[feature.name] for feature in model.manifest.categories]
        categories = [word if isinstance(word, str) else "" for word in words]
        said = json.loads(
            "{"
            + explainer.explain(numbers, categories, answer["default_probability"], answer["credit_score"], every=True)
            + "}"
        )
        assert answer["base_points"] == said["base_points"]
        assert answer["points"] == said["points"]
        assert answer["reasons"] == [reason["name"] for reason in said["reasons"]]
        lengths.add(len(answer["reasons"]))
    assert len(lengths) > 2
