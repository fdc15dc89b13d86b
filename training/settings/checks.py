"""Settings that are right one by one and contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.words import did_you_mean, shown
from training.settings import xgboost_parameters
from training.settings.keys import Origin

if TYPE_CHECKING:
    from training.settings import Settings


REQUEST_ID = "uuid"  # in a request and its answer, whatever the table calls its ids


def refuse_contradictions(settings: Settings, origin: Origin) -> None:
    """Raises UserError, exit status 2, for the first contradiction."""
    _check_columns(settings, origin)
    _check_preparation(settings, origin)
    _check_groups(settings, origin)
    _check_constraints(settings, origin)
    _check_model(settings, origin)
    _check_split(settings, origin)
    _check_costs(settings, origin)
    _check_tuning(settings, origin)


def _check_columns(settings: Settings, origin: Origin) -> None:
    data = settings.data
    names = [feature.name for feature in settings.features]
    if data.target in names:
        origin.refuse(
            f"features.{data.target}",
            "is data.target, which a model must not see; take it out of the features",
        )
    if data.id in names:
        origin.refuse(
            f"features.{data.id}",
            "is data.id, which names rows; take it out of the features, or change data.id",
        )
    if REQUEST_ID in names:
        origin.refuse(
            f"features.{REQUEST_ID}", "is how every request names itself; give the column another name in the table"
        )
    if data.id == data.target:
        origin.refuse("data.id", f'{shown(data.id)} is data.target too; name another column, or "" for none')


def _check_preparation(settings: Settings, origin: Origin) -> None:
    for feature in settings.features:
        key = f"features.{feature.name}"
        if feature.log1p and feature.type != "number":
            origin.refuse(f"{key}.log1p", f"needs a number feature, got a {feature.type}; leave log1p out")
        if feature.vocabulary and feature.type != "category":
            origin.refuse(
                f"{key}.vocabulary",
                f"needs a category feature, got a {feature.type}; leave the vocabulary out",
            )


def _check_groups(settings: Settings, origin: Origin) -> None:
    features = {feature.name: feature for feature in settings.features}
    group_of: dict[str, str] = {}
    for group, members in settings.row_max.items():
        key = f"row_max.{group}"
        if group in features:
            origin.refuse(key, "is the name of a feature; give the group a name of its own")
        for name in members:
            if name not in features:
                origin.refuse(
                    key,
                    f"expected number features, got {name}, which is none; {did_you_mean(name, features)}",
                )
            member = features[name]
            if member.type != "number":
                origin.refuse(key, f"expected number features, got {name}, a {member.type}; leave it out")
            if member.log1p:
                origin.refuse(key, f"{name} has log1p, which a row maximum has no place for; take out one of the two")
            if name in group_of:
                origin.refuse(key, f"{name} is in row_max.{group_of[name]} already; keep it in one group")
            group_of[name] = group


def _check_constraints(settings: Settings, origin: Origin) -> None:
    constraints = settings.xgboost.get("monotone_constraints", {})
    group_of = {member: group for group, members in settings.row_max.items() for member in members}
    types = {feature.name: feature.type for feature in settings.features}
    if not isinstance(constraints, dict):
        return
    for name in constraints:
        key = f"xgboost.monotone_constraints.{name}"
        if name in group_of:
            origin.refuse(key, f"the model sees only its row maximum; constrain {group_of[name]} instead")
        if types.get(name) == "category":
            origin.refuse(key, "a category has no order to rise or fall along; leave it out")
        if name not in types and name not in settings.row_max:
            origin.refuse(key, f"no such feature; {did_you_mean(name, [*types, *settings.row_max])}")


def _check_model(settings: Settings, origin: Origin) -> None:
    model = settings.model
    if model.estimator == "calibrated-cv" and model.calibration == "none":
        origin.refuse(
            "model.calibration",
            '"none" contradicts model.estimator = "calibrated-cv"; calibrate, or use "cross-fit"',
        )
    if model.estimator == "calibrated-cv" and "early_stopping_rounds" in settings.xgboost:
        origin.refuse(
            "xgboost.early_stopping_rounds",
            'contradicts model.estimator = "calibrated-cv", which watches no rows; use "cross-fit"',
        )
    if model.estimator == "cross-fit" and model.calibrate_on == "probability":
        origin.refuse(
            "model.calibrate_on",
            '"probability" contradicts model.estimator = "cross-fit"; use "margin" or "calibrated-cv"',
        )
    if model.estimator == "cross-fit" and not model.ensemble:
        origin.refuse(
            "model.ensemble",
            'false contradicts model.estimator = "cross-fit"; leave it out or use "calibrated-cv"',
        )


def _check_split(settings: Settings, origin: Origin) -> None:
    split, data = settings.split, settings.data
    names = [feature.name for feature in settings.features]
    if split.method == "time" and split.time is None:
        origin.refuse("split.time", 'split.method = "time" needs the column with each applicant\'s time; name it')
    if split.method == "group" and split.group is None:
        origin.refuse("split.group", 'split.method = "group" needs the column that names the groups; name it')
    if split.method == "stratified" and split.group is not None:
        origin.refuse(
            "split.group", 'split.method = "stratified" would put groups into both parts; use "group" or "time"'
        )
    if split.method != "time" and split.test_from is not None:
        origin.refuse("split.test_from", f'split.method = "{split.method}" knows no time; use "time" or leave it out')
    for key, column in (("split.time", split.time), ("split.group", split.group)):
        if column is not None and column == data.target:
            origin.refuse(key, f"{shown(column)} is data.target; name another column")
    if split.group in names:
        origin.refuse(
            f"features.{split.group}", "is split.group, which a model would learn by heart; take it out of the features"
        )
    if split.group is not None and settings.model.estimator == "calibrated-cv":
        origin.refuse(
            "model.estimator", '"calibrated-cv" would put groups into several folds; use "cross-fit", which does not'
        )


def _check_costs(settings: Settings, origin: Origin) -> None:
    costs = settings.costs
    if (costs.gain is None) != (costs.loss is None):
        given, missing = ("gain", "loss") if costs.loss is None else ("loss", "gain")
        origin.refuse(f"costs.{missing}", f"costs.{given} is set; a profit needs both, set costs.{missing} too")
    if costs.amount is not None:
        if costs.gain is None:
            origin.refuse("costs.amount", "needs costs.gain and costs.loss, as shares of it; set both")
        numbers = [feature.name for feature in settings.features if feature.type == "number"]
        if costs.amount not in numbers:
            origin.refuse("costs.amount", f"expected a number feature; {did_you_mean(costs.amount, numbers)}")


def _check_tuning(settings: Settings, origin: Origin) -> None:
    if settings.tuning.trials and "early_stopping_rounds" in settings.xgboost:
        origin.refuse(
            "xgboost.early_stopping_rounds", "contradicts tuning.trials, which finds the number of trees; leave it out"
        )
    for name in settings.tuning.keep:
        if name not in xgboost_parameters.KNOWN:
            origin.refuse("tuning.keep", f"no such parameter {name}; {did_you_mean(name, xgboost_parameters.KNOWN)}")
