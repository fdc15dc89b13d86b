"""One line for each part of a validation that its table does not support."""

from collections.abc import Iterator, Mapping

from cli.words import counted
from validation.sections.section import Part, Subject


def remarks_of(subject: Subject, parts: Mapping[str, Part]) -> Iterator[str]:
    """Lines on outcomes that are missing or of one kind, grades without customers, and groups that are too small."""
    if why := subject.why_no_tests:
        what = "ranking and slices are not tested" if len(subject.known) else "nothing that needs outcomes is tested"
        yield f"{why}: {what}"
    grades = parts["grades"].figure
    if grades is not None:
        empty = [entry["grade"] for entry in grades["grades"] if not entry["customers"]]
        if empty:
            yield f"{counted(len(empty), 'grade')} without customers: {', '.join(empty)}; no test of those"
    people = parts["fairness"].figure
    if people is not None:
        for its in people["attributes"]:
            if its["hidden_groups"]:
                yield (
                    f"{its['attribute']}: {counted(its['hidden_groups'], 'group')} not shown, fewer than "
                    f"{people['least']} people each or beyond the largest, {counted(its['hidden_rows'], 'row')} in all"
                )
    periods, segments = parts["periods"].figure, parts["segments"].figure
    entries = [] if periods is None else [("periods", periods)]
    entries += [] if segments is None else [(its["column"], its) for its in segments["segments"]]
    for name, its in entries:
        if its["hidden"]:
            yield (
                f"{name}: {its['hidden']} not shown, fewer than {subject.settings.least} rows each, "
                f"{counted(its['rows_hidden'], 'row')} in all"
            )
