"""Remedies for a finding that can apply to the model: never what the model already does."""

CALIBRATE = 'let a calibrator correct it (model.calibration = "auto")'


def of_copies(*, can_group: bool) -> str:
    """Copies of training rows in the test; a group's rows are on one side already."""
    together = ', or keep those of a customer together (split.method = "group")' if can_group else ""
    return f"remove the copies{together}"


def of_others(split: str) -> str:
    """A test whose applicants are others than those of the training."""
    if split == "time":
        return "train on more recent applicants"
    drawn = "whole groups" if split == "group" else "rows"
    return f"{drawn} drawn at random rarely differ so much, so look for rows that belong together"


def of_slope(
    calibrator: str,
    split: str,
    *,
    by_auto: bool,
    can_group: bool,
    on_margin: bool,
    correct_spread: bool,
    too_extreme: bool,
) -> str:
    """A calibration slope beside 1: below it answers are too extreme, above it not extreme enough."""
    ranks = "less" if too_extreme else "more"
    others = (
        f"the features separate the test's applicants {ranks} than those of training; {_why_other(split, can_group)}"
    )
    if calibrator == "none":
        return others if by_auto else CALIBRATE
    if not on_margin:
        return 'calibrate margins (model.calibrate_on = "margin")'
    if not too_extreme and not correct_spread:
        return "correct the spread of the boosters' mean (model.correct_spread = true)"
    if too_extreme and calibrator == "isotonic":
        return 'isotonic steps fit noise; use model.calibration = "sigmoid"'
    return others


def of_intercept(calibrator: str, split: str, train: float, test: float, *, by_auto: bool, can_group: bool) -> str:
    """A calibration intercept beside 0, with the default rates of both parts."""
    if calibrator == "none" and not by_auto:
        return CALIBRATE
    return f"the default rate is {train:.2%} in train and {test:.2%} in the test; {_why_other(split, can_group)}"


def of_gap(*, can_tune: bool) -> str:
    """A test that is ranked worse than the training rows."""
    return "use shallower or fewer trees" + (", or --tune" if can_tune else "")


def of_few(*, test_from: bool) -> str:
    """A test with few rows of a class."""
    return f"gather more, or set {'split.test_from earlier' if test_from else 'split.test_size higher'}"


def _why_other(split: str, can_group: bool) -> str:
    if split == "time":
        return "train on more recent applicants, without features that moved"
    if split == "group":
        return "gather more groups: few large ones differ by chance"
    together = ', or keep those of a customer on one side (split.method = "group")' if can_group else ""
    return f"gather more rows{together}"
