"""Every section of the page, in its order. A new one is a module of this package and a line here."""

from validation.sections import (
    calibration,
    discrimination,
    grades,
    migrations,
    people,
    periods,
    reasons,
    robust,
    segments,
    stability,
    weak,
)
from validation.sections.section import Part, Section, Subject

SECTIONS = (
    Section("stability", "Stability", stability.make),
    Section("discrimination", "Discrimination", discrimination.make),
    Section("calibration", "Calibration", calibration.make),
    Section("grades", "Grades", grades.make),
    Section("migrations", "Migrations", migrations.make),
    Section("periods", "Periods", periods.make),
    Section("segments", "Segments", segments.make),
    Section("fairness", "Groups of people", people.make),
    Section("weak", "Weak slices", weak.make),
    Section("robustness", "Robustness", robust.make),
    Section("reasons", "Reasons", reasons.make),
)


def parts_of(subject: Subject) -> dict[str, Part]:
    """Results of all sections for the subject."""
    return {section.name: section.make(subject) for section in SECTIONS}
