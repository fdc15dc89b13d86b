"""Effect of small changes of the inputs on scores and grades."""

from validation.robustness import OTHER_BAND, robustness, sensitive
from validation.sections.json_types import known
from validation.sections.section import Found, Part, Subject


def make(subject: Subject) -> Part:
    """The changes of a part of the sample; a feature that alone moves many to another grade is worth a look."""
    if subject.sample is None or subject.answer is None:
        return Part(None, "the model cannot be asked again")
    weight = None if subject.rows.weight is None else subject.rows.weight[subject.sample.rows]
    figure = robustness(
        subject.answer, subject.sample.frame, subject.scale, subject.rating.places, subject.seed, weight
    )
    figure["of"] = len(subject.rows)
    found = [
        Found(
            "Small changes of one feature change grades",
            its["other_band"],
            f"{OTHER_BAND:.0%} of the customers",
            "custom",
            f"Noise of {figure['size']:.0%} of the ranks in {its['feature']} alone moves {its['other_band']:.1%} to "
            "another grade. Widen the grades, or add features.",
            "look",
        )
        for its in sensitive(figure)
    ]
    return Part(known(dict(figure)), found=found)
