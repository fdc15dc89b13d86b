"""What an export certifies, gathered from the artifacts of a run."""

from export.certificate.certify import Candidate
from export.certificate.comparison import Session
from export.graph.pipeline import Contract
from export.manifest import binary_columns, grades_of_run, scale_of
from runtime.batch import Batch
from training.artifacts import Artifacts


def candidate_of(artifacts: Artifacts, contract: Contract, session: Session, batch: Batch | None) -> Candidate:
    """The graph of `contract`, opened as `session`, its tables, and the pipeline, rows and scale of the artifacts."""
    return Candidate(
        pipeline=artifacts.pipeline,
        contract=contract,
        session=session,
        real=artifacts.pipeline[0].raw_inputs(artifacts.sample),
        binary=binary_columns(artifacts),
        scale=scale_of(artifacts),
        edges=artifacts.run["bands"],
        grades=grades_of_run(artifacts.run),
        batch=batch,
    )
