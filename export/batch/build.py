"""batch.bin and its entry in the manifest: built, or left out with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from export.documents import ManifestBatch
from export.graph.pipeline import Contract, cut
from runtime.batch import Batch
from runtime.digest import sha256
from trees.batch.blocks import blocks_of
from trees.batch.conditions import Conditions, conditions_of, leaves_of
from trees.batch.file import content_of
from trees.ensemble import Ensemble
from trees.reasons.columns import Level, Number, columns_of

MOST_LEAVES = 128  # of a tree: 100 leaf-wise trees of 200 are 0.8 times as fast as the graph, of depth 7 1.7 times
LARGEST = 64_000_000  # bytes of the file


@dataclass(frozen=True)
class BuiltBatch:
    """The file and its entry in the manifest; only `why` for a model without the file."""

    why: str = ""
    content: bytes = b""
    record: ManifestBatch | None = None

    @property
    def batch(self) -> Batch | None:
        """The reader of the file."""
        return Batch.parse(self.content) if self.content else None


def build_batch(contract: Contract, columns: Sequence[Number | Level], graph: str) -> BuiltBatch:
    """Tables of the graph with that sha256, whose trees read these columns."""
    return built_of(contract, read_conditions(contract.ensembles, columns), graph)


def read_conditions(ensembles: Sequence[Ensemble], columns: Sequence[Number | Level]) -> Conditions:
    """The conditions of ensembles that read a matrix of these columns."""
    sources: dict[Number | int, int] = {its if isinstance(its, Number) else its.category: 0 for its in columns}
    return conditions_of(columns_of(ensembles, columns, sources))


def built_of(contract: Contract, conditions: Conditions, graph: str) -> BuiltBatch:
    """The file of conditions, or the reason why the graph answers batches."""
    largest = max(len(leaves_of(tree)) for trees in conditions.boosters for tree in trees)
    if largest > MOST_LEAVES:
        return BuiltBatch(f"a tree has {largest:,} leaves, and more than {MOST_LEAVES} are not faster by tables")
    blocks = blocks_of(conditions.boosters, [float(its.base_margin) for its in contract.ensembles])
    calibrator = cut(contract.model, dict.fromkeys(contract.margins, np.float32), "probability")
    content = content_of(conditions, blocks, graph, calibrator.SerializeToString(deterministic=True), contract.margins)
    if len(content) > LARGEST:
        return BuiltBatch(f"batch.bin would take {len(content) / 1e6:,.0f} MB, more than {LARGEST / 1e6:,.0f}")
    return BuiltBatch("", content, {"file": {"sha256": sha256(content), "bytes": len(content)}})
