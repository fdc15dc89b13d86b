"""From an export to a batch that tables answer: certificate, start, damage, and models without tables."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export.model_folder import files_of
from export.refusal import ExportRefused
from export.to_onnx import export
from runtime import model as runtime_model
from runtime.batch import Batch
from runtime.dispatch import Handler
from runtime.manifest import ModelRefused
from runtime.model import LARGE_BATCH, Model
from runtime.settings import Settings
from storage.digest import sha256_of
from tests.export.served.exported import APPLICANT, SILENT, ask, handler
from tests.runtime.model_builder import versioned
from training.artifacts import Artifacts

pytestmark = pytest.mark.tier("land")

MORE = """
[xgboost]
n_estimators = 10
max_depth = 3
[evaluation]
plots = false
resamples = 50
[reasons]
reference = "none"
"""


def rows_of(model: Model, count: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    numbers = rng.lognormal(3, 2, (count, len(model.manifest.numbers)))
    numbers[rng.random(numbers.shape) < 0.2] = np.nan
    words = np.empty((count, len(model.manifest.categories)), dtype=object)
    words[:] = rng.choice(["shoes", "books", "", "unseen"], words.shape)
    return numbers, words


def batch_of(count: int) -> dict[str, Any]:
    return {"applicants": [{**APPLICANT, "uuid": str(i)} for i in range(count)]}


def test_certificate_and_manifest_name_the_tables(model: Path) -> None:
    certificate = json.loads((model / "certificate.json").read_text())
    manifest = json.loads((model / "manifest.json").read_text())
    assert manifest["batch"]["file"]["sha256"] == certificate["sha256"]["batch.bin"] == sha256_of(model / "batch.bin")
    assert manifest["batch"]["file"]["bytes"] == (model / "batch.bin").stat().st_size
    compared = certificate["batch"]
    assert compared["rows"] == certificate["total"]["rows"]
    assert compared["rows"] == compared["margins_bit_equal"] == compared["probabilities_bit_equal"]
    assert files_of(model) == ("model.onnx", "manifest.json", "batch.bin", "initial.json", "certificate.json")


def test_tables_answer_from_their_least_number_of_rows_on(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Model.load(str(model))
    numbers, words = rows_of(served, LARGE_BATCH)
    feed = {"numbers": numbers, "categories": words}
    asked: list[int] = []
    its_own = Batch.predict

    def counted(self: Batch, numbers: Any, words: Any) -> Any:
        asked.append(len(numbers))
        return its_own(self, numbers, words)

    monkeypatch.setattr(Batch, "predict", counted)
    served.predict(numbers[:-1], words[:-1])
    assert asked == []
    answer = served.predict(numbers, words)
    assert asked == [len(served.manifest.self_check), LARGE_BATCH]
    assert [its.tobytes() for its in answer] == [its.tobytes() for its in served.ask_graph(feed)]


def test_rows_in_a_batch_have_the_bits_of_rows_alone(model: Path) -> None:
    served = Model.load(str(model))
    numbers, words = rows_of(served, 300)
    together = served.predict(numbers, words)
    for row in range(0, 300, 7):
        alone = served.predict(numbers[row : row + 1], words[row : row + 1])
        assert [its[0].tobytes() for its in alone] == [its[row].tobytes() for its in together]


def test_matrices_of_another_width_are_refused_as_the_graph_does(model: Path) -> None:
    served = Model.load(str(model))
    numbers, words = rows_of(served, LARGE_BATCH)
    for wrong in ((numbers[:, :-1], words), (numbers, words[:-1])):
        with pytest.raises(Exception, match="ONNXRuntimeError"):
            served.predict(*wrong)


def test_a_batch_answers_as_its_applicants_alone(model: Path) -> None:
    its = handler(model)
    status, answer = ask(its, batch_of(LARGE_BATCH), path="/predict/batch")
    assert status == 200
    alone = ask(its, {**APPLICANT, "uuid": "7"})[1]
    assert answer["answers"][7] == alone


def test_a_start_that_answers_no_batch_loads_nothing_of_it(model: Path) -> None:
    code = (
        "import sys\nfrom runtime.dispatch import Handler\nfrom runtime.settings import Settings\n"
        f"Handler(Settings({{'MODEL_DIR': {str(model)!r}}}))\n"
        "print(sorted({'runtime.batch', 'runtime.planes', 'runtime.conditions', 'mmap'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


# ---------------------------------------------------------------- damage


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def of_another_model(path: Path) -> None:
    digest = json.loads((path.parent / "manifest.json").read_text())["sha256"]
    path.write_bytes(path.read_bytes().replace(digest.encode(), digest[::-1].encode()))


def of_other_bytes(path: Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def of_a_newer_version(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8] += 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, of_another_model, of_other_bytes, of_a_newer_version, Path.unlink])
def test_tables_that_are_not_the_model_s_are_refused_at_start(copy: Path, damage: Callable[[Path], None]) -> None:
    damage(copy / "batch.bin")
    with pytest.raises(ModelRefused, match=r"batch\.bin: .*; export the model again"):
        handler(copy)
    with pytest.raises(ExportRefused, match=r"batch\.bin"):
        files_of(copy)


@pytest.mark.parametrize("place", [-9, 0.9, 0.6])
def test_one_bit_is_refused_before_the_first_batch_is_answered(
    copy: Path, place: float, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray((copy / "batch.bin").read_bytes())
    content[int(place * len(content)) if 0 < place < 1 else int(place)] ^= 1
    (copy / "batch.bin").write_bytes(content)
    its = handler(copy)
    assert ask(its, APPLICANT)[0] == 200
    assert ask(its, batch_of(LARGE_BATCH - 1), path="/predict/batch")[0] == 200
    status, problem = ask(its, batch_of(LARGE_BATCH), path="/predict/batch")
    assert (status, problem["detail"]) == (500, "batch.bin does not belong to the model; see the log")
    assert "batch.bin: sha256: expected" in capsys.readouterr().err
    served = Model.load(str(copy))
    with pytest.raises(ModelRefused, match=r"batch\.bin: sha256"):
        served.predict(*rows_of(served, LARGE_BATCH))


def test_tables_that_answer_otherwise_than_the_graph_are_refused(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    its_own = Batch.predict

    def moved(self: Batch, numbers: Any, words: Any) -> Any:
        probability, margin = its_own(self, numbers, words)
        return probability, np.nextafter(margin, np.float32(1))

    monkeypatch.setattr(Batch, "predict", moved)
    with pytest.raises(ModelRefused, match=r"batch\.bin: self-check row 0: margin: expected the graph's"):
        Model.load(str(copy)).batch()


def test_a_model_of_before_scores_batches_by_its_graph(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["batch"]
    (copy / "manifest.json").write_text(json.dumps(versioned(manifest)))
    (copy / "batch.bin").unlink()
    served, rows = Model.load(str(copy)), LARGE_BATCH + 300
    numbers, words = rows_of(served, rows)
    found = served.predict(numbers, words)
    expected = served.ask_graph({"numbers": numbers, "categories": words})
    assert [its.tobytes() for its in found] == [its.tobytes() for its in expected]


def test_the_description_says_why_there_are_no_tables(artifacts: Artifacts, tmp_path: Path) -> None:
    from export.batch import build

    patch = pytest.MonkeyPatch()
    patch.setattr(build, "MOST_LEAVES", 2)
    export(artifacts, tmp_path / "without", SILENT)
    patch.undo()
    its = Handler(Settings({"MODEL_DIR": str(tmp_path / "without")}))
    about = {"http": {"method": "GET"}}
    described: Any = its({"requestContext": about, "rawPath": "/model"}, None)
    assert "more than 2 are not faster by tables" in json.loads(described["body"])["batch"]["why"]
    assert not (tmp_path / "without" / "batch.bin").exists()
    assert ask(its, batch_of(runtime_model.LARGE_BATCH), path="/predict/batch")[0] == 200
