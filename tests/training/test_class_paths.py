"""pipeline.skops of earlier layouts and versions: opened, or refused for the reason that it is."""

import importlib
import io
import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from cli.errors import UserError
from tests import applicants
from training.artifacts import load_pipeline, save_pipeline
from training.artifacts.class_paths import DESCRIPTION, FORMAT, FORMER, with_paths_of_today
from training.estimator.crossfit import CrossFittedClassifier

# Written by training.run before the folder training/estimator/ (300 applicants, 2 folds of 3 trees), then compressed.
OLD_LAYOUT = Path(__file__).parent / "files" / "old-layout.skops"
APPLICANTS = pd.DataFrame(
    {
        "income": [31304.278801013104, 13936.60588412028, 2321.2446930679666, None],
        "age": [52.0, 72.0, 38.0, 25.0],
        "late_1": [4.0, 4.0, 0.0, 2.0],
        "late_2": [3.0, 2.0, 4.0, 3.0],
        "has_paid": [0.0, 1.0, 1.0, 1.0],
        "shop": ["shoes", "books", "shoes", "books"],
    }
)
# What the layout of then answered for them.
ANSWERS = ["0x1.c60e8e9c70817p-3", "0x1.a6ec5704986c4p-3", "0x1.07e99b239b71ap-2", "0x1.a6ec5704986c4p-3"]


def description(dump: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(dump)).read(DESCRIPTION).decode()


def rewritten(dump: bytes, *changes: tuple[str, str]) -> bytes:
    """A skops file with other words in its description."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(dump)) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == DESCRIPTION:
                for old, new in changes:
                    assert old.encode() in content, old
                    content = content.replace(old.encode(), new.encode())
            after.writestr(name, content)
    return file.getvalue()


def refusal(dump: bytes, folder: Path) -> str:
    (folder / "pipeline.skops").write_bytes(dump)
    with pytest.raises(UserError) as caught:
        load_pipeline(folder)
    return str(caught.value).removeprefix(f"{folder}/pipeline.skops: ")


@pytest.mark.filterwarnings("ignore")  # newer versions of XGBoost warn of boosters of an older one
def test_a_pipeline_of_the_old_layout_answers_as_it_did() -> None:
    assert "training.crossfit" in description(OLD_LAYOUT.read_bytes())
    pipeline = load_pipeline(OLD_LAYOUT)
    assert isinstance(pipeline[1], CrossFittedClassifier)
    answers = pipeline.predict_proba(APPLICANTS)[:, 1]
    # One ulp: NumPy's exp is not everywhere the same.
    assert answers.tolist() == pytest.approx([float.fromhex(answer) for answer in ANSWERS], rel=3e-16)


@pytest.mark.parametrize(("former", "path"), FORMER.items())
def test_every_former_path_becomes_the_path_of_today(former: str, path: str) -> None:
    module, _, name = former.rpartition(".")
    node = {"__class__": name, "__module__": module, "content": [{"__class__": "str", "__module__": "builtins"}]}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(DESCRIPTION, json.dumps({"content": [node]}))
        archive.writestr("1.npy", b"bytes")
    renamed = with_paths_of_today(file.getvalue())
    [found] = json.loads(description(renamed))["content"]
    assert f"{found['__module__']}.{found['__class__']}" == path
    assert found["content"] == node["content"]
    assert zipfile.ZipFile(io.BytesIO(renamed)).read("1.npy") == b"bytes"
    assert path in FORMAT


@pytest.mark.parametrize("path", sorted(FORMAT))
def test_a_class_is_at_its_documented_path(path: str) -> None:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name)
    assert f"{found.__module__}.{found.__qualname__}" == path


def test_what_is_saved_holds_documented_paths_only(tmp_path: Path) -> None:
    frame, target = applicants.draw(300)
    fitted = applicants.pipeline(CrossFittedClassifier(folds=2, calibration="sigmoid")).fit(frame, target)
    save_pipeline(fitted, tmp_path / "pipeline.skops")
    dump = (tmp_path / "pipeline.skops").read_bytes()
    modules = set(re.findall(r'"__module__": "((?:training|export)[^"]*)"', description(dump)))
    assert modules == {"training.estimator.crossfit", "training.estimator.preparation"}
    assert with_paths_of_today(dump) == dump


def test_another_scikit_learn_is_no_reason_for_distrust(tmp_path: Path) -> None:
    dump = rewritten(OLD_LAYOUT.read_bytes(), ('"_SigmoidCalibration"', '"_PlattCalibration"'), ("1.9.1", "1.12.0"))
    said = refusal(dump, tmp_path)
    assert said.startswith("made with scikit-learn 1.12.0, and here is ")
    assert "sklearn.calibration._PlattCalibration" in said
    assert "do not trust" not in said


def test_a_type_of_a_stranger_is_distrusted_whichever_scikit_learn_wrote_it(tmp_path: Path) -> None:
    dump = rewritten(OLD_LAYOUT.read_bytes(), ('"_SigmoidCalibration"', '"_Shell"'), ("1.9.1", "1.12.0"))
    said = refusal(rewritten(dump, ('"sklearn.calibration"', '"os.path"')), tmp_path)
    assert said.startswith("holds types that no pipeline of this project has: os.path._")
    assert said.endswith("do not trust this file")


def test_a_strange_type_of_this_scikit_learn_is_distrusted(tmp_path: Path) -> None:
    changes = ('"_SigmoidCalibration"', '"_PlattCalibration"'), ("1.9.1", sklearn.__version__)
    assert refusal(rewritten(OLD_LAYOUT.read_bytes(), *changes), tmp_path).endswith("do not trust this file")


def test_another_pipeline_is_opened_as_it_is(tmp_path: Path) -> None:
    """A pipeline without a class of ours: skops trusts all of it."""
    fitted = Pipeline([("model", LogisticRegression())]).fit([[0.0], [1.0]], [0, 1])
    skops.io.dump(fitted, tmp_path / "pipeline.skops")
    assert load_pipeline(tmp_path).predict([[1.0]]).tolist() == [1]
