"""Settings that are right one by one and contradict each other."""

from collections.abc import Iterator, Mapping

from cli.settings.origin import Origin
from cli.words import did_you_mean, shown
from storage.address import is_remote
from table.contradictions import contradictions
from table.settings import Feature
from training.settings.reasons import ALL, AT_CUTOFF, NONE, TREE_PATH, ReasonText
from training.settings.tables import Settings
from training.settings.xgboost_parameters import KNOWN
from validation.fairness.columns import contradicting_groups

Problems = Iterator[tuple[str, str]]
REQUEST_ID = "uuid"  # in a request and its answer, whatever the table calls its ids


def refuse_contradictions(settings: Settings, origin: Origin) -> None:
    """Raise UserError, exit status 2, for the first contradiction."""
    checks = (
        _table,
        _columns,
        _preparation,
        _groups,
        _constraints,
        _model,
        _split,
        _costs,
        _grades,
        _tuning,
        _engine,
        _fairness,
        _reasons,
    )
    for check in checks:
        for key, problem in check(settings):
            origin.refuse(key, problem)


def refuse_contradicting_reasons(settings: Settings, origin: Origin) -> None:
    """The same of reasons, their groups and texts alone."""
    for key, problem in _reasons(settings):
        origin.refuse(key, problem)


def _table(settings: Settings) -> Problems:
    yield from contradictions(settings.data, settings.features)


def _fairness(settings: Settings) -> Problems:
    names = [feature.column for feature in settings.features]
    yield from contradicting_groups(settings.fairness, names, settings.data)


def _columns(settings: Settings) -> Problems:
    data = settings.data
    names = [feature.name for feature in settings.features]
    if data.target in names:
        yield (f"features.{data.target}", "is data.target, which a model must not see; take it out of the features")
    if data.id in names:
        yield (f"features.{data.id}", "is data.id, which names rows; take it out of the features, or change data.id")
    if REQUEST_ID in names:
        yield f"features.{REQUEST_ID}", "is how every request names itself; give the column another name in the table"
    if data.weight is not None:
        if data.weight in names:
            yield f"features.{data.weight}", "is data.weight, which no request has; take it out of the features"
        for key, column in (("target", data.target), ("id", data.id), ("group", settings.split.group)):
            if column == data.weight:
                other = "split.group" if key == "group" else f"data.{key}"
                yield "data.weight", f"{shown(column)} is {other} too; name another column"
    if data.id == data.target:
        yield "data.id", f'{shown(data.id)} is data.target too; name another column, or "" for none'


def _preparation(settings: Settings) -> Problems:
    for feature in settings.features:
        key = f"features.{feature.name}"
        if feature.log1p and feature.type != "number":
            yield f"{key}.log1p", f"needs a number feature, got a {feature.type}; leave log1p out"
        if feature.vocabulary and feature.type != "category":
            yield (f"{key}.vocabulary", f"needs a category feature, got a {feature.type}; leave the vocabulary out")
        if feature.rare is not None and feature.type != "category":
            yield f"{key}.rare", f"needs a category feature, got a {feature.type}; leave it out"
        if feature.rare is not None and feature.vocabulary:
            yield f"{key}.rare", "pools learnt levels, and a vocabulary is given, which stays as it is; leave out one"


def _groups(settings: Settings) -> Problems:
    features = {feature.name: feature for feature in settings.features}
    group_of: dict[str, str] = {}
    for group, members in settings.row_max.items():
        key = f"row_max.{group}"
        if group in features:
            yield key, "is the name of a feature; give the group a name of its own"
        for name in members:
            if name not in features:
                yield (key, f"expected number features, got {name}; {did_you_mean(name, features)}")
            member = features[name]
            if member.type != "number":
                yield key, f"expected number features, got {name}, a {member.type}; leave it out"
            if member.log1p:
                yield key, f"{name} has log1p, which a row maximum cannot have; leave out one of the two"
            if name in group_of:
                yield key, f"{name} is in row_max.{group_of[name]} already; keep it in one group"
            group_of[name] = group


def _constraints(settings: Settings) -> Problems:
    constraints = settings.xgboost.get("monotone_constraints", {})
    group_of = {member: group for group, members in settings.row_max.items() for member in members}
    types = {feature.name: feature.type for feature in settings.features}
    if not isinstance(constraints, Mapping):
        return
    for name in constraints:
        key = f"xgboost.monotone_constraints.{name}"
        if name in group_of:
            yield key, f"the model sees only its row maximum; constrain {group_of[name]} instead"
        if types.get(name) == "category":
            yield key, "a category has no order to rise or fall along; leave it out"
        if name not in types and name not in settings.row_max:
            yield key, f"no such feature; {did_you_mean(name, [*types, *settings.row_max])}"


def _model(settings: Settings) -> Problems:
    model = settings.model
    if model.estimator == "calibrated-cv" and model.calibration == "none":
        yield (
            "model.calibration",
            '"none" contradicts model.estimator = "calibrated-cv"; calibrate, or use "cross-fit"',
        )
    if model.estimator == "calibrated-cv" and "early_stopping_rounds" in settings.xgboost:
        yield (
            "xgboost.early_stopping_rounds",
            'contradicts model.estimator = "calibrated-cv", which watches no rows; use "cross-fit"',
        )
    if model.estimator == "cross-fit" and model.calibrate_on == "probability":
        yield (
            "model.calibrate_on",
            '"probability" contradicts model.estimator = "cross-fit"; use "margin" or "calibrated-cv"',
        )
    if model.estimator == "cross-fit" and not model.ensemble:
        yield ("model.ensemble", 'false contradicts model.estimator = "cross-fit"; leave it out or use "calibrated-cv"')


def _split(settings: Settings) -> Problems:
    split, data = settings.split, settings.data
    names = [feature.name for feature in settings.features]
    if split.method == "time" and split.time is None:
        yield "split.time", 'split.method = "time" needs the column with each applicant\'s time; name it'
    if split.method == "group" and split.group is None:
        yield "split.group", 'split.method = "group" needs the column that names the groups; name it'
    if split.method == "stratified" and split.group is not None:
        yield (
            "split.group",
            'split.method = "stratified" would put a group into both parts; use "group" or "time"',
        )
    if split.time_format is not None and split.time is None:
        yield "split.time_format", "needs the column of times; name it as split.time"
    if split.method != "time" and split.test_from is not None:
        yield "split.test_from", f'split.method = "{split.method}" does not use it; use "time" or leave it out'
    for key, column in (("split.time", split.time), ("split.group", split.group)):
        if column is not None and column == data.target:
            yield key, f"{shown(column)} is data.target; name another column"
    if split.group in names:
        yield (
            f"features.{split.group}",
            "is split.group, which a model would memorize; take it out of the features",
        )
    if split.group is not None and settings.model.estimator == "calibrated-cv":
        yield (
            "model.estimator",
            '"calibrated-cv" would put a group into several folds; use "cross-fit"',
        )


def _costs(settings: Settings) -> Problems:
    costs = settings.costs
    if (costs.gain is None) != (costs.loss is None):
        given, missing = ("gain", "loss") if costs.loss is None else ("loss", "gain")
        yield f"costs.{missing}", f"costs.{given} is set; a profit needs both, set costs.{missing} too"
    if costs.amount is not None:
        if costs.gain is None:
            yield "costs.amount", "needs costs.gain and costs.loss, as shares of it; set both"
        numbers = [feature.name for feature in settings.features if feature.type == "number"]
        if costs.amount not in numbers:
            yield "costs.amount", f"expected a number feature; {did_you_mean(costs.amount, numbers)}"


def _grades(settings: Settings) -> Problems:
    yield from settings.grades.contradictions()


def _tuning(settings: Settings) -> Problems:
    if settings.tuning.trials and "early_stopping_rounds" in settings.xgboost:
        yield (
            "xgboost.early_stopping_rounds",
            "contradicts tuning.trials, which finds the number of trees; leave it out",
        )
    for name in settings.tuning.keep:
        if name not in KNOWN:
            yield "tuning.keep", f"no such parameter {name}; {did_you_mean(name, KNOWN)}"


def _engine(settings: Settings) -> Problems:
    engine, names = settings.engine, ("external_memory", "workers", "scheduler")
    chosen = [name for name in names if getattr(engine, name) not in (None, False)]
    if len(chosen) > 1:
        yield f"engine.{chosen[1]}", f"contradicts engine.{chosen[0]}; leave one of them out"
    if not chosen:
        if engine.cache is not None:
            yield "engine.cache", "needs engine.external_memory, engine.workers or engine.scheduler; leave it out"
        return
    key = f"engine.{chosen[0]}"
    file = settings.data.file
    if file is None:
        yield key, "reads Parquet files in parts, and data.file names none; name them, or train in memory"
    elif engine.scheduler is not None and is_remote(file):
        yield key, "its workers read the files themselves, where all see them; name files in a folder that all share"
    if settings.tuning.trials:
        yield "tuning.trials", f"contradicts {key}: a search needs its rows in memory; search first, on fewer rows"
    if settings.model.estimator != "cross-fit":
        yield "model.estimator", f'"calibrated-cv" contradicts {key}; use "cross-fit"'
    if (method := settings.xgboost.get("tree_method", "hist")) not in ("auto", "hist"):
        yield "xgboost.tree_method", f'{shown(method)} contradicts {key}, which bins its columns; use "hist"'


def _reasons(settings: Settings) -> Problems:
    reasons, groups = settings.reasons, settings.reason_groups
    if reasons.reference == AT_CUTOFF and reasons.cutoff is None:
        yield "reasons.cutoff", f'reasons.reference = "{AT_CUTOFF}" needs the lowest approved score; set it'
    if reasons.method == TREE_PATH and reasons.reference not in (ALL, NONE):
        yield "reasons.reference", f'reasons.method = "{TREE_PATH}" uses no reference rows; leave it out'
    maximum_of = {member: name for name, members in settings.row_max.items() for member in members}
    features = [feature.name for feature in settings.features]
    names = [*features, *settings.row_max]
    group_of: dict[str, str] = {}
    for group, members in groups.items():
        key = f"reason_groups.{group}"
        if group in names:
            yield key, "is the name of a feature; give the group a name of its own"
        for name in members:
            if name not in names:
                yield key, f"expected features, got {name}; {did_you_mean(name, names)}"
            maximum = maximum_of.get(name, name)
            apart = [other for other in settings.row_max.get(maximum, ()) if not {other, maximum} & {*members}]
            if apart:
                yield key, f"the model sees only the row maximum {maximum}; name {', '.join(apart)} too, or none of it"
            if group_of.setdefault(maximum, group) != group:
                yield key, f"{name} is in reason_groups.{group_of[maximum]} already; keep it in one group"
    for name, said in settings.reason_texts.items():
        if name not in (*names, *groups):
            yield f"reason_texts.{name}", f"no such feature or group; {did_you_mean(name, [*names, *groups])}"
        maximum = maximum_of.get(name, name)
        owner = group_of.get(maximum, maximum)
        if said.inquiries and owner != name:
            yield f"reason_texts.{name}.inquiries", f"its points are those of {owner}; mark {owner} instead"
    yield from _hints(settings)


def _hints(settings: Settings) -> Problems:
    features = {feature.name: feature for feature in settings.features}
    for name, said in settings.reason_texts.items():
        key, feature = f"reason_texts.{name}", features.get(name)
        if not said.actionable:
            for other, value in (("direction", said.direction), ("levels", said.levels)):
                if value:
                    yield f"{key}.{other}", "goes with actionable = true; set it too, or leave this out"
        elif feature is None:
            yield f"{key}.actionable", "a hint changes one feature, and this is a group; mark a feature instead"
        elif feature.type == "category":
            yield from _levels(key, said, feature)
        else:
            yield from _direction(key, said, feature, sign_of(settings, name))
    if settings.reasons.hints:
        if settings.reasons.reference == NONE:
            yield "reasons.hints", f'needs reasons, and reasons.reference = "{NONE}" leaves them out; change one'
        if not any(said.actionable for said in settings.reason_texts.values()):
            yield (
                "reasons.hints",
                "needs a feature to change; mark one in [reason_texts.NAME]: actionable = true",
            )


def _levels(key: str, said: ReasonText, feature: Feature) -> Problems:
    if said.direction is not None:
        yield f"{key}.direction", 'a category has no direction; list levels = ["..."] instead'
    if not said.levels:
        yield f"{key}.levels", 'an actionable category needs the levels that a hint may name, levels = ["..."]'
    for level in said.levels:
        if feature.vocabulary and level not in feature.vocabulary:
            yield f"{key}.levels", f"no such level {shown(level)}; {did_you_mean(level, feature.vocabulary)}"


def _direction(key: str, said: ReasonText, feature: Feature, sign: int) -> Problems:
    if said.levels:
        yield f"{key}.levels", f"needs a category feature, got a {feature.type}; leave it out"
    if said.direction is None and not sign:
        yield f"{key}.direction", 'the model has no monotone constraint on it; state direction = "up" or "down"'
    if said.direction is not None and sign and said.direction != direction_of(sign):
        yield (
            f"{key}.direction",
            f'"{said.direction}" never raises the score, by the monotone constraint {sign:+}; leave it out',
        )


def sign_of(settings: Settings, name: str) -> int:
    """Direction of the probability with a feature or its row maximum: 1, -1, or 0 for any."""
    constraints = settings.xgboost.get("monotone_constraints", {})
    unit = next((group for group, members in settings.row_max.items() if name in members), name)
    return int(constraints.get(unit, 0)) if isinstance(constraints, Mapping) else 0


def direction_of(sign: int) -> str:
    """Direction in which a feature with that sign raises the score."""
    return "down" if sign > 0 else "up"
