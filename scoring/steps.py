"""The steps of a run whose output is locked: finished parts, remaining parts, and the end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cli.errors import UserError
from cli.progress import Progress
from cli.words import counted, escaped
from scoring.cluster import Cluster
from scoring.documents import ScoringRun, Summary
from scoring.marker import Marker
from scoring.messages import Message, Rows
from scoring.output import Output
from scoring.plan import SUMMARY, Job, Piece, Plan
from scoring.processes import Processes
from scoring.resume import finished
from scoring.scorer import Scorer
from scoring.settings import Scoring
from scoring.shown import Meter, shown
from scoring.summary import load_comparison, read_summary, refuse_too_many, summary_of, write_rejects, write_summary
from scoring.tally import Tally
from table.outcomes import Exclusion, exclusion_notes


@dataclass(frozen=True)
class Run:
    """A run, and the markers of its finished pieces by number."""

    name: str
    """The output as the user calls it."""
    output: Output
    identity: ScoringRun
    scorer: Scorer
    plan: Plan
    job: Job
    scoring: Scoring
    markers: dict[int, Marker] = field(default_factory=dict)

    def complete(self, progress: Progress) -> None:
        """Score what is left, and write the summary. Raises UserError; finished parts stay."""
        with progress.step("Looking at finished parts"):
            self.markers.update(finished(self.output, self.plan.pieces))
        left = [piece for piece in self.plan.pieces if piece.number not in self.markers]
        if not left and (rows := self._rows_of_the_end()) is not None:
            progress.say(escaped(f"{self.name} is complete: {rows:,} rows"))
            return
        if self.markers:
            progress.say(f"  {len(self.markers):,} of {len(self.plan.pieces):,} parts are finished")
        refusal = self._score(left, progress)
        self._say(self._write_end(refusal, progress), progress)

    def _score(self, left: Sequence[Piece], progress: Progress) -> UserError | None:
        """Score pieces; the refusal if too many rows are rejected before the end."""
        tally = Tally.sum(marker.tally for marker in self.markers.values())
        before = sum(piece.size for piece in self.plan.pieces if piece.number in self.markers)
        meter = Meter(self.plan, len(self.markers), before, tally.read)
        with shown(progress, meter):
            for message in self._answers(left):
                load_comparison()  # from the first message on, when the workers have started
                if isinstance(message, Rows):
                    meter.add(message.count)
                    continue
                self.markers[message.piece] = message
                meter.finish(self.plan.pieces[message.piece].size)
                tally.add(message.tally)
                if self.plan.rows is None:
                    continue
                try:
                    refuse_too_many(self.name, tally, self.scoring.max_rejects, self.plan.rows)
                except UserError as refusal:
                    return refusal
        return None

    def _answers(self, left: Sequence[Piece]) -> Iterator[Message]:
        if self.scoring.scheduler is None:
            yield from Processes(self.job, left, self.scoring.processes)
        else:
            yield from Cluster(self.job, left, self.scoring.scheduler)

    def _write_end(self, refusal: UserError | None, progress: Progress) -> Summary:
        in_order = [self.markers[number] for number in sorted(self.markers)]
        with progress.step("Writing the summary"):
            write_rejects(self.output, in_order)
            if refusal is not None:
                raise refusal
            whole = Tally.sum(marker.tally for marker in in_order)
            refuse_too_many(self.name, whole, self.scoring.max_rejects)
            if whole.read and sum(whole.left_out) == whole.read:
                raise UserError(f"{self.name}: data.exclude leaves out every row; exclude fewer")
            scorer = self.scorer
            summary = summary_of(self.identity, scorer.manifest, in_order, self.output, scorer.left_out, scorer.texts)
            write_summary(self.output, summary)
        return summary

    def _rows_of_the_end(self) -> int | None:
        """The rows of a summary that is that of these parts; None for one that is damaged, too."""
        parts = [self.markers[number].rows.sha256 for number in sorted(self.markers)]
        try:
            summary = read_summary(self.output)
            if summary is None or [entry["sha256"] for entry in summary["parts"]] != parts:
                return None
            return int(summary["rows"]["scored"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def _say(self, summary: Summary, progress: Progress) -> None:
        score, rows = summary["score"], summary["rows"]
        exclusions = [Exclusion(**its) for its in summary["exclusions"]]
        for note in exclusion_notes(exclusions):
            progress.say(escaped(note))
        found = {its.column for its in exclusions}
        for column in (its for its in self.scorer.left_out.exclude if its not in found):
            progress.say(escaped(f"No row is left out by {column} (data.exclude)"))
        if rows["rejected"]:
            progress.say(f"Rejected: {counted(rows['rejected'], 'row')}; rejects.csv says why")
        if summary["repeated_ids"]:
            progress.say(f"{summary['repeated_ids']:,} rows have an id that another row has too; each is scored")
        if score is not None:
            moved = f", moved (from {score['counts_from']:.3g})" if score["moved"] else ""
            progress.say(f"Stability index of the score against the training rows: {score['psi']:.4f}{moved}")
        parts = counted(len(self.plan.pieces), "part")
        progress.say(escaped(f"{rows['scored']:,} rows in {parts} in {self.name}, see {SUMMARY}"))
