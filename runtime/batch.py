"""batch.bin: numpy scores whole batches to the bits of the graph, several times as fast; loaded with the first batch.

The design is in docs/decisions/0012-rows-as-bits.md. The graph stays the reference: what its self-check rows answer is
compared before the first batch is answered, and the export has compared every row of the certificate.
"""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from runtime.conditions import Conditions
from runtime.planes import LARGEST_PAIRS, Block, in_blocks, in_order
from runtime.reader import EXPORT_AGAIN, ModelRefused
from runtime.session import open_session
from runtime.table_file import BATCH_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from numpy.typing import NDArray

    from runtime.manifest import Manifest

    Answer: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float32]]

PART = 4_096  # rows at a time: the masks of a block of trees stay in a core's own cache
CHUNK = 4 * PART  # rows whose leaves are looked up at a time
BUFFER = 128  # numpy copies operands whose rows are shorter than its buffer, at four times the cost


class Batch:
    """Score batches of raw columns. Safe to use from several threads."""

    __slots__ = ("_blocks", "_conditions", "_probability", "_reads")

    def __init__(self, head: dict[str, Any], arrays: "dict[str, NDArray[Any]]") -> None:
        taken = dict.fromkeys(arrays, 0)

        def take(name: str, count: int) -> "NDArray[Any]":
            first = taken[name]
            taken[name] = first + count
            return arrays[name][first : first + count]

        self._conditions = Conditions(head, arrays["thresholds"])
        pairs = sum(its["trees"] for its in head["blocks"]) * 2048 <= LARGEST_PAIRS
        self._blocks: list[list[Block]] = [[] for _ in head["reads"]]
        for entry in head["blocks"]:
            self._blocks[entry["booster"]].append(Block(entry, take, pairs=pairs))
        self._reads: list[str] = head["reads"]
        self._probability = open_session(arrays["calibrator"].tobytes()).run

    @classmethod
    def parse(cls, content: bytes) -> "Batch":
        """The tables of a file whose bytes are known to be whole."""
        return cls(*BATCH_FILE.parse(content))

    def predict(self, numbers: "NDArray[np.float64]", categories: "NDArray[np.object_]") -> "Answer":
        """Probability [N] and margin [N, k] of raw columns [N, n] and [N, c], to the bits of the graph."""
        margins = np.empty((len(self._blocks), len(numbers)), dtype=np.float32)
        with np.errstate(over="ignore"):  # beyond float32 a number is infinite, in the graph as in XGBoost
            usual = np.setbufsize(BUFFER)
            try:
                for first in range(0, len(numbers), CHUNK):
                    part = slice(first, first + CHUNK)
                    self._score(numbers[part], categories[part], margins[:, part])
            finally:
                np.setbufsize(usual)
        feed = {name: margin[:, None] for name, margin in zip(self._reads, margins, strict=True)}
        probability = self._probability(["probability"], feed)[0]
        return probability, np.ascontiguousarray(margins.T)

    def _score(self, numbers: Any, categories: Any, margins: "NDArray[np.float32]") -> None:
        """The margins [k, N] of a chunk of rows."""
        parts = [slice(first, min(first + PART, len(numbers))) for first in range(0, len(numbers), PART)]
        bits = [self._conditions.bits(numbers[part], categories[part], _padded(part)) for part in parts]
        ends = np.cumsum([0, *map(_padded, parts)]).tolist()
        for blocks, margin in zip(self._blocks, margins, strict=True):
            total, pairs = np.zeros(ends[-1], dtype=np.float32), blocks[0].pairs
            sums = [total[first:last] for first, last in pairwise(ends)]
            for block in blocks:
                if block.has_leaves_alone:
                    block.add_alone(total)
                    continue
                if block.pairs != pairs:
                    for its in sums:
                        its[:] = in_blocks(in_order(its, pairs=pairs), pairs=block.pairs)
                    pairs = block.pairs
                places = list(map(block.addresses, ends))
                codes = np.empty((block.trees, places[-1]), dtype=np.uint8)
                for its, (first, last) in zip(bits, pairwise(places), strict=True):
                    codes[:, first:last] = block.codes(its)
                block.add(codes, total)
            for its, part in zip(sums, parts, strict=True):
                margin[part] = in_order(its, pairs=pairs)[: part.stop - part.start]


def _padded(part: slice) -> int:
    """Rows of a part, filled up: they come in words of 64, and in pairs."""
    rows: int = part.stop - part.start
    return -(-rows // 128) * 128


def load_batch(manifest: "Manifest", folder: str, ask_graph: "Callable[[dict[str, Any]], Answer]") -> Batch:
    """Read the tables in a model's folder and compare them with the manifest.

    The tables must answer the self-check rows with the bits of the graph. Raises ModelRefused.
    """
    digest = manifest.document["batch"]["file"]["sha256"]
    batch = Batch(*BATCH_FILE.read(folder, digest, manifest.sha256))
    numbers = np.array([row.numbers for row in manifest.self_check])
    words = np.empty((len(numbers), len(manifest.categories)), dtype=object)
    words[:] = [row.categories for row in manifest.self_check]
    feed = {"numbers": numbers} | ({"categories": words} if manifest.categories else {})
    found, expected = batch.predict(numbers, words), ask_graph(feed)
    for name, ours, its_own in (("probability", found[0], expected[0]), ("margin", found[1], expected[1])):
        for row in range(len(numbers)):
            if ours[row].tobytes() != its_own[row].tobytes():
                raise ModelRefused(
                    f"{folder}/{BATCH_FILE.name}: self-check row {row}: {name}: expected the graph's "
                    f"{its_own[row].tolist()}, got {ours[row].tolist()}; {EXPORT_AGAIN}"
                )
    return batch
