"""Tables of batches, compared with the graph bit for bit."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.certificate.comparison import Answer, bits_equal
from export.documents import ComparedBatch
from export.refusal import ExportRefused
from runtime.batch import Batch


class ComparedTables:
    """Counts of the comparison so far."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.found: ComparedBatch = {"rows": 0, "margins_bit_equal": 0, "probabilities_bit_equal": 0}

    def compare(self, kind: str, inputs: dict[str, NDArray[Any]], answer: Answer) -> None:
        """Compare the tables' answer with the graph's. Raises ExportRefused where a bit differs."""
        rows = len(answer.probability)
        words = inputs.get("categories", np.empty((rows, 0), dtype=object))
        probability, margin = self._batch.predict(inputs["numbers"], words)
        same = bits_equal_rows(margin, answer.margin)
        equal = bits_equal(probability, answer.probability)
        if same < rows or equal < rows:
            raise ExportRefused(
                f"batch.bin: {rows - min(same, equal):,} of {rows:,} rows of the kind '{kind}' are not bit-equal to "
                "the graph's; nothing is written"
            )
        self.found["rows"] += rows
        self.found["margins_bit_equal"] += same
        self.found["probabilities_bit_equal"] += equal


def bits_equal_rows(a: NDArray[np.float32], b: NDArray[np.float32]) -> int:
    """Number of rows of two matrices that are equal bit for bit; 0 if shapes differ."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return 0
    same = np.ascontiguousarray(a).view(np.int32) == np.ascontiguousarray(b).view(np.int32)
    return int(same.all(axis=1).sum())
