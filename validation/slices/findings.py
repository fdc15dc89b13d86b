"""Which slices, and which sensitive features, are findings."""

from collections.abc import Iterator

from cli.words import counted
from validation.documents import Alarm
from validation.robustness import OTHER_BAND, sensitive
from validation.slices.documents import Overfit, Robustness, WeakSlices

NAMED = 3


def findings_of_slices(weak: WeakSlices, overfit: Overfit, robust: Robustness) -> list[Alarm]:
    """At most one finding of each kind."""
    return [*_weak(weak), *_overfit(overfit), *_sensitive(robust)]


def _weak(weak: WeakSlices) -> Iterator[Alarm]:
    confirmed = [its for its in weak["slices"] if its["confirmed"]]
    if not confirmed:
        return
    worst = confirmed[0]
    said = (
        f"{worst['observed']:.2%} defaulted where {worst['predicted']:.2%} was predicted"
        if worst["measure"] == "gap"
        else f"the log loss is {worst['log_loss']:.4f} where {worst['expected_log_loss']:.4f} was expected"
    )
    more = f"; {counted(len(confirmed) - 1, 'slice')} more in the report" if len(confirmed) > 1 else ""
    yield Alarm(
        name="weak slice",
        value=worst["adjusted_p"],
        limit=weak["level"],
        message=f"Where {worst['slice']}, {said} (p {worst['adjusted_p']:.1g} after Holm for {weak['tested']} slices, "
        f"level {weak['level']:g}: custom){more}; look for information on these applicants that the features lack.",
    )


def _overfit(overfit: Overfit) -> Iterator[Alarm]:
    confirmed = [its for its in overfit["slices"] if its["confirmed"]]
    if not confirmed:
        return
    worst = confirmed[0]
    more = f"; {counted(len(confirmed) - 1, 'slice')} more in the report" if len(confirmed) > 1 else ""
    yield Alarm(
        name="overfit slice",
        value=worst["excess"],
        limit=overfit["least_excess"],
        message=f"Where {worst['slice']}, the log loss is {worst['train_loss']:.2f} times its expectation on "
        f"train and {worst['test_loss']:.2f} times on test, {worst['excess']:.2f} more of a rise than elsewhere (p "
        f"{worst['adjusted_p']:.1g} after Holm, level {overfit['level']:g}; limit {overfit['least_excess']:g}: "
        f"custom){more}; use shallower trees or, where it is a level, pool rare ones.",
    )


def _sensitive(robust: Robustness) -> Iterator[Alarm]:
    found = list(sensitive(robust))
    if found:
        worst = max(found, key=lambda its: its["other_band"])
        yield Alarm(
            name="sensitive band",
            value=worst["other_band"],
            limit=OTHER_BAND,
            message=f"Small changes of {worst['feature']} alone (noise of {robust['size']:.0%} of the ranks) move "
            f"{worst['other_band']:.1%} of the applicants to another band (limit {OTHER_BAND:.0%}: custom); widen the "
            "bands, or add features.",
        )
