"""Several tests at once: what chance alone would find among so many."""

from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Each p-value corrected for the number of tests, in their order (Holm 1979, Scand. J. Statist. 6, 65-70).

    A corrected value below a level is a finding of which, if nothing is wrong anywhere, there is any at all with at
    most that probability; the tests may depend on each other.
    """
    corrected, highest = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = highest
    return corrected
