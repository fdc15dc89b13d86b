"""A model that has shown, on this machine and with this onnxruntime, that it answers as it did at export."""

from runtime.session import open_session  # first: it keeps onnxruntime and numpy quiet

# isort: split
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import onnxruntime

from runtime.digest import sha256
from runtime.manifest import EXPORT_AGAIN, Manifest, ModelRefused, SelfCheckRow
from runtime.score import SCORE_TOLERANCE, band

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from runtime.batch import Batch

    Numbers: TypeAlias = NDArray[np.float64] | Sequence[Sequence[float]]
    Categories: TypeAlias = NDArray[np.object_] | Sequence[Sequence[str]]

# From this many rows on tables, or putting the rows in order for the graph, save more than they cost.
LARGE_BATCH = 128

_OUTPUTS = ["probability", "margin"]


class Model:
    """A manifest and the session over its graph. Safe to use from several threads."""

    __slots__ = ("_batch", "_run", "_takes_categories", "folder", "manifest")

    def __init__(self, manifest: Manifest, session: "onnxruntime.InferenceSession", folder: str = "") -> None:
        self.manifest = manifest
        self.folder = folder
        self._run = session.run
        self._batch: Batch | None = None
        self._takes_categories = bool(manifest.categories)

    @classmethod
    def load(cls, folder: str) -> "Model":
        """Open model.onnx and manifest.json in `folder`.

        Raises ModelRefused if one of them is missing or damaged, if they do not belong together, or if the
        self-check rows do not come out as at export.
        """
        if not os.path.isdir(folder):  # noqa: PTH112  (pathlib: 5 ms of start-up)
            raise ModelRefused(
                f"{folder}: expected a folder with model.onnx and manifest.json, got none; "
                "run python -m training.run and python -m export.to_onnx first"
            )
        manifest = Manifest.read(f"{folder}/manifest.json")
        path = f"{folder}/model.onnx"
        graph = _read(path)
        digest = sha256(graph)
        if digest != manifest.sha256:
            raise ModelRefused(f"{path}: sha256: expected {manifest.sha256}, got {digest}; {EXPORT_AGAIN}")
        try:
            session = open_session(graph)  # the bytes that were hashed, not the file again
        except Exception as fault:
            reason = " ".join(str(fault).split())
            raise ModelRefused(
                f"{path}: refused by onnxruntime {onnxruntime.__version__}: {reason}; {EXPORT_AGAIN}"
            ) from None
        _check_interface(session, manifest, path)
        model = cls(manifest, session, folder)
        model._check_self(path)
        if manifest.reasons_size or manifest.batch_size:
            from runtime.table_file import BATCH_FILE, REASONS_FILE  # a model without tables does without

            for file, size in ((REASONS_FILE, manifest.reasons_size), (BATCH_FILE, manifest.batch_size)):
                if size:
                    file.check_header(folder, size, manifest.sha256)
        return model

    def predict(
        self, numbers: "Numbers", categories: "Categories" = ()
    ) -> "tuple[NDArray[np.float64], NDArray[np.float32]]":
        """Probability of default, float64 [N], and margin (log-odds before calibration), float32 [N, k].

        `numbers` is float64 [N, n], NaN where missing, booleans as 1 and 0; `categories` is [N, c] strings,
        "" where missing. Both are raw columns in the manifest's order; arrays are not copied. Larger batches are
        answered by tables, which have the graph's bits; with the first of them ModelRefused is raised for tables that
        are not the model's.
        """
        feed: dict[str, Any] = {"numbers": np.asarray(numbers, dtype=np.float64)}
        if self._takes_categories:
            # As objects: numpy's own strings end at the first NUL, and "Travel\0" would count as "Travel".
            feed["categories"] = np.asarray(categories, dtype=object)
        rows = len(feed["numbers"])
        if rows < LARGE_BATCH or not self._has_shapes(feed):
            return self.ask_graph(feed)
        if self.manifest.batch_size:
            words = feed["categories"] if self._takes_categories else np.empty((rows, 0), dtype=object)
            return self.batch().predict(feed["numbers"], words)
        if not self.manifest.branches:
            return self.ask_graph(feed)
        from runtime.branches import branch_order  # a start that answers single applicants does without

        order = branch_order(self.manifest.branches, feed["numbers"], feed.get("categories"))
        ordered = self._run(_OUTPUTS, {name: matrix[order] for name, matrix in feed.items()})
        probability, margin = map(np.empty_like, ordered)
        probability[order], margin[order] = ordered
        return probability, margin

    def ask_graph(self, feed: dict[str, Any]) -> "tuple[NDArray[np.float64], NDArray[np.float32]]":
        """The graph's own answer to its inputs, whatever their number."""
        probability, margin = self._run(_OUTPUTS, feed)
        return probability, margin

    def batch(self) -> "Batch":
        """The tables of a model that has some, read and checked when first asked for. Raises ModelRefused."""
        if self._batch is None:
            from runtime.batch import load_batch  # a start that answers single applicants does without

            self._batch = load_batch(self.manifest, self.folder, self.ask_graph)
        return self._batch

    def _has_shapes(self, feed: dict[str, Any]) -> bool:
        """False for matrices that the graph has to refuse."""
        shapes = {"numbers": len(self.manifest.numbers), "categories": len(self.manifest.categories)}
        return all(matrix.ndim == 2 and matrix.shape[1] == shapes[name] for name, matrix in feed.items()) and (
            len({len(matrix) for matrix in feed.values()}) == 1
        )

    def _check_self(self, path: str) -> None:
        manifest = self.manifest
        rows = manifest.self_check
        try:
            probabilities, margins = self.predict([row.numbers for row in rows], [row.categories for row in rows])
        except Exception as fault:
            reason = " ".join(str(fault).split())
            raise ModelRefused(
                f"{path}: expected answers to the self-check rows, got: {reason}; {EXPORT_AGAIN}"
            ) from None
        for index, row in enumerate(rows):
            probability = float(probabilities[index])
            difference = self._difference(row, probability, margins[index])
            if difference:
                came = f"self-check row {index}, onnxruntime {onnxruntime.__version__}: {difference}"
                raise ModelRefused(f"{path}: {came}; install the exporter's onnxruntime, or {EXPORT_AGAIN}")

    def _difference(self, row: SelfCheckRow, probability: float, margin: "NDArray[np.float32]") -> str:
        """Results of a self-check row that differ from the export's, in words; empty if none does."""
        expected = np.array(row.margin, dtype=np.float32)
        is_close = bool(self.manifest.stated_tolerance)  # then only the probability and the band are held to
        if margin.shape != expected.shape or not (is_close or margin.tobytes() == expected.tobytes()):
            return f"margin: expected {expected.tolist()} to the bit, got {margin.tolist()}"
        tolerance = self.manifest.probability_tolerance
        if not abs(probability - row.probability) <= tolerance:
            return f"probability: expected {row.probability!r} within {tolerance}, got {probability!r}"
        score = self.manifest.scale.score(probability)
        if not is_close and not abs(score - row.score) <= SCORE_TOLERANCE:
            return f"score: expected {row.score!r}, got {score!r}"
        if (label := band(score, self.manifest.bands)) != row.band:
            return f"band: expected {row.band}, got {label}"
        if (grades := self.manifest.grades) and (name := grades.name(probability)) != row.grade:
            return f"grade: expected {row.grade}, got {name}"
        return ""


def _check_interface(session: "onnxruntime.InferenceSession", manifest: Manifest, path: str) -> None:
    """Refuse a graph whose inputs or outputs are not those that the manifest promises."""
    inputs = {"numbers": ("tensor(double)", len(manifest.numbers))}
    if manifest.categories:
        inputs["categories"] = ("tensor(string)", len(manifest.categories))
    outputs = {"probability": "tensor(double)", "margin": "tensor(float)"}
    found_inputs = {i.name: (i.type, i.shape[-1] if i.shape else None) for i in session.get_inputs()}
    found_outputs = {o.name: o.type for o in session.get_outputs()}
    for what, expected, found in (("inputs", inputs, found_inputs), ("outputs", outputs, found_outputs)):
        if found != expected:
            raise ModelRefused(f"{path}: {what}: expected {expected}, got {found}; {EXPORT_AGAIN}")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123  (pathlib: 5 ms of start-up)
            return file.read()
    except OSError as fault:
        raise ModelRefused(f"{path}: expected a graph, got: {fault.strerror}; {EXPORT_AGAIN}") from None
