"""Stability of the score and of each feature against the training rows.

`reference_of` counts the training rows in a few bins, `shifts` sets the counts of other rows beside them.
"""

from validation.stability.comparison import shifts
from validation.stability.reference import reference_of

__all__ = ["reference_of", "shifts"]
