"""`python -m training.recalibrate`: artifacts/ to artifacts of the same trees with a new calibrator."""

if __name__ == "__main__":  # before the imports, which Ctrl-C may interrupt
    from cli.entry import start

    start("training.recalibrate")


import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from cli import command
from cli.errors import WRONG_USAGE, UserError
from cli.parser import Parser
from cli.progress import Progress
from cli.words import escaped, next_command
from runtime.manifest import ModelRefused
from runtime.model import Model
from runtime.strict_json import NotStrict, parse_file
from storage.folder import replaced_folder
from table import Table, read_table
from training import artifacts
from training.artifacts import Artifacts, load_artifacts
from training.artifacts.runs import local_run
from training.documents import ParentRecord, Run
from training.estimator.calibration import FOLDS, calibrated, cross_validated
from training.estimator.crossfit import CrossFittedClassifier
from training.reasons import REFERENCE_ROWS
from training.recalibration.calibrators import INTERCEPT, LEAST, fitted, refitted, shifted_to
from training.recalibration.findings import Examined, alarms_of, alarms_of_tendency
from training.recalibration.save import (
    Compared,
    Recalibrated,
    carried_over,
    grades_in,
    metrics_without_calibration,
    save,
    with_calibrator,
)
from training.settings import Settings, Split, settings_from_dict
from validation.bands import scores_of
from validation.grades import counts_of
from validation.initial import Said, initial_of
from validation.intervals.bootstrap import bootstrap
from validation.metrics import evaluate
from validation.rating import Rating
from validation.report.words import percent
from validation.settings import Fairness
from validation.stability import reference_of, shifts

CERTIFICATE = "certificate.json"
OUT = "artifacts-recalibrated"

EPILOG = """\
The new artifacts export as those of training do: python -m export.to_onnx --artifacts DIR.
Exit status: 0 done; 1 failed, with one line that says why; 2 wrong flags.

examples:
  python -m training.recalibrate --data loans-2026.csv
  python -m training.recalibrate --data loans-2026.csv --method slope --model model/
  python -m training.recalibrate --central-tendency 0.021
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = build_parser()
    args = options.parse_args(arguments)
    if (args.data is None) == (args.central_tendency is None):
        options.error("expected --data FILE or --central-tendency RATE, one of the two")
    if args.central_tendency is not None and args.method != INTERCEPT:
        options.error(f"--method {args.method} needs outcomes; a central tendency moves the intercept only")

    def recalibrate_and_save() -> None:
        progress, out = Progress(quiet=args.quiet), Path(args.out)
        with local_run(args.artifacts, progress) as folder:
            with progress.step("Opening the fitted pipeline"):
                parent = load_artifacts(folder)
            if out.exists() and out.resolve() == folder.resolve():
                raise UserError(f"--out: {out} holds the parent run, which is kept; name another folder", WRONG_USAGE)
            with replaced_folder(out, artifacts.RUN) as scratch, threadpool_limits(1, user_api="blas"):
                run = save(scratch, recalibrated(parent, args, progress))
        _summarise(run, progress)
        then = next_command("export.to_onnx", "--artifacts", args.out, "artifacts")
        progress.say(f"Written to [bold]{escaped(out)}/[/] (open recalibration.html). Next: {escaped(then)}")

    return command.run(recalibrate_and_save, "the last good artifacts are as they were")


def build_parser() -> Parser:
    """The command's options."""
    parser = Parser(
        prog="python -m training.recalibrate",
        description="Give the trees of a finished run a new calibrator, from outcomes or to a central tendency.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    files = parser.add_argument_group("input and output")
    files.add_argument(
        "--artifacts", default="artifacts", metavar="DIR", help="folder of the parent run, default %(default)s"
    )
    files.add_argument("--out", default=OUT, metavar="DIR", help="folder of the new artifacts, default %(default)s")
    files.add_argument("--model", metavar="DIR", help="exported model of the parent, whose version the new one names")
    files.add_argument("--quiet", action="store_true", help="print errors only")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--data", metavar="FILE", help="table of rows with outcomes, in the format of the training's table"
    )
    how.add_argument(
        "--central-tendency",
        type=float,
        metavar="RATE",
        help="mean probability of default, 0 to 1, that the reference rows of training shall have",
    )
    how.add_argument(
        "--method",
        choices=tuple(LEAST),
        default=INTERCEPT,
        help="with --data: a new intercept, a new slope and intercept, or isotonic steps; default %(default)s",
    )
    return parser


def recalibrated(parent: Artifacts, args: argparse.Namespace, progress: Progress) -> Recalibrated:
    """The parent with a new calibrator, as the flags say. Raises UserError."""
    classifier = parent.pipeline[1]
    if not isinstance(classifier, CrossFittedClassifier):
        raise UserError(
            f'{args.artifacts}: expected a run of model.estimator = "cross-fit", whose boosters share one calibrator, '
            f"got {type(classifier).__name__}, whose answer is a mean of several calibrated ones; train again with "
            "cross-fit to recalibrate it"
        )
    settings = settings_from_dict(parent.run["settings"])
    named = _named(parent, args.model)
    if args.data is None:
        return _to_tendency(parent, named, settings, args.central_tendency, progress)
    table_settings = replace(settings, data=replace(settings.data, file=args.data), split=Split(), fairness=Fairness())
    with progress.step("Reading the table"):
        table = read_table(table_settings.schema, progress)
    return _on_outcomes(parent, named, settings, table, args.method, progress)


def _named(parent: Artifacts, model: str | None) -> ParentRecord:
    named: ParentRecord = {"run": parent.run["digest"], "pipeline": parent.pipeline_sha256, "model_version": None}
    if model is None:
        return named
    try:
        named["model_version"] = Model.load(model).manifest.model_version
        certificate: Any = parse_file((Path(model) / CERTIFICATE).read_bytes(), artifacts.LARGEST_FILE)
        certified = certificate["sha256"].get(artifacts.PIPELINE)
    except ModelRefused as refusal:
        raise UserError(str(refusal)) from refusal
    except (OSError, NotStrict, KeyError, TypeError, AttributeError):
        raise UserError(f"{model}/{CERTIFICATE}: expected the certificate of an export, got none") from None
    if certified != parent.pipeline_sha256:
        raise UserError(
            f"--model: {model} was exported from another pipeline (sha256 {certified}) than the artifacts' "
            f"({parent.pipeline_sha256}); name the parent's model"
        )
    return named


def _to_tendency(
    parent: Artifacts, named: ParentRecord, settings: Settings, rate: float, progress: Progress
) -> Recalibrated:
    low, high = settings.score.probability_limits
    if not low < rate < high:
        raise UserError(
            f"--central-tendency: expected a rate above {low:g} and below {high:g}, got {rate:g}", WRONG_USAGE
        )
    drawn = parent.drawn.get(REFERENCE_ROWS)
    if drawn is None:
        raise UserError(f"{parent.folder}: holds no reference rows; {artifacts.TRAIN_AGAIN}")
    with progress.step(f"Answering {len(drawn):,} reference rows"):
        classifier = parent.pipeline[1]
        x = classifier.decision_function(parent.pipeline[0].transform(drawn.iloc[:, :-1]))
        try:
            calibrator = shifted_to(rate, classifier.calibrator_, x)
        except UserError as refusal:
            raise UserError(f"--central-tendency: {refusal}") from None
    compared = Compared(calibrated(classifier.calibrator_, x), calibrated(calibrator, x))
    before, after = (float(its.mean()) for its in (compared.before, compared.after))
    reference = carried_over(parent.reference, settings.score, classifier.calibrator_, calibrator)
    if (grades := grades_in(parent.run)) is not None:
        reference["grades"] = counts_of(grades, compared.after)
    return Recalibrated(
        parent=parent,
        named=named,
        settings=settings,
        pipeline=with_calibrator(parent.pipeline, calibrator, []),
        record={
            "method": INTERCEPT,
            "central_tendency": rate,
            "source": None,
            "sha256": None,
            "rows": len(drawn),
            "defaults": None,
            "observed": None,
            "mean_before": before,
            "mean_after": after,
        },
        compared=compared,
        reference=reference,
        metrics=metrics_without_calibration(parent.run["metrics"]["test"]),
        alarms=alarms_of_tendency(rate, before),
    )


def _on_outcomes(
    parent: Artifacts, named: ParentRecord, settings: Settings, table: Table, method: str, progress: Progress
) -> Recalibrated:
    classifier, target, weight = parent.pipeline[1], table.target, table.weight
    scale, evaluation, seed = settings.score, settings.evaluation, settings.split.seed
    with progress.step(f"Answering {len(target):,} rows"):
        x = classifier.decision_function(parent.pipeline[0].transform(table.frame))
        calibrator = refitted(method, x, target, weight, classifier.calibrator_)
    before, after = (calibrated(its, x) for its in (classifier.calibrator_, calibrator))
    with progress.step("Evaluating"):
        unseen = np.empty(len(target))
        for seen, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, target):
            of_seen = None if weight is None else weight[seen]
            fold = fitted(method, x[seen], target[seen], of_seen, classifier.calibrator_)
            unseen[held] = calibrated(fold, x[held])
        comparison = cross_validated(x, target, seed=seed, weight=weight)
        figures = {
            side: evaluate(target, its, evaluation.threshold, scale.probability_limits, weight)
            for side, its in (("before", before), ("after", unseen))
        }
        bounds = bootstrap(
            target, before, evaluation.threshold, evaluation.resamples, seed, scale.probability_limits, weight
        ).bounds
        scores, scores_before = scores_of(after, scale), scores_of(before, scale)
        stability = shifts(parent.reference, table.frame, scores_before, settings.stability, weight)
    reference = reference_of(table.frame, scores, settings.features, settings.stability, weight)
    if weight is not None and settings.data.weight is not None:
        reference["weight"] = settings.data.weight
    grades = grades_in(parent.run)
    if grades is not None:
        reference["grades"] = counts_of(grades, after, weight)
    rating = Rating.of(parent.run["bands"], scale, grades)
    said = Said("recalibration", settings.validation.definition or "", settings.validation.exposure)
    exposure = None if table.exposure is None else np.nan_to_num(table.exposure)
    examined = Examined(
        method=method,
        before=figures["before"],
        bounds=bounds,
        comparison=comparison,
        stability=stability,
        is_table_of_the_fit=table.sha256 == parent.run["data"]["sha256"],
    )
    return Recalibrated(
        parent=parent,
        named=named,
        settings=settings,
        pipeline=with_calibrator(parent.pipeline, calibrator, comparison),
        record={
            "method": method,
            "central_tendency": None,
            "source": table.source,
            "sha256": table.sha256,
            "rows": len(target),
            "defaults": int(target.sum()),
            "observed": float(np.average(target, weights=weight)),
            "mean_before": float(np.average(before, weights=weight)),
            "mean_after": float(np.average(after, weights=weight)),
        },
        compared=Compared(before, after, target, weight),
        reference=reference,
        metrics={name: None if np.isnan(value) else float(value) for name, value in figures["after"].items()},
        alarms=alarms_of(examined),
        initial=initial_of(rating, target, after, scores, said, exposure),
        figures=figures,
        comparison=comparison,
    )


def _summarise(run: Run, progress: Progress) -> None:
    record = run["recalibration"]
    observed = "" if record["observed"] is None else f", observed {percent(record['observed'])}"
    progress.say(
        escaped(f"Mean probability {percent(record['mean_before'])} → {percent(record['mean_after'])}{observed}")
    )
    for alarm in run["alarms"]:
        progress.say(f"[yellow]![/] {escaped(alarm['message'])}")
