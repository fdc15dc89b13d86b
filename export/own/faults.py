"""Text of a library's exception, as a part of one line."""

import re

LONGEST = 160
# XGBoost puts its clock and a path of the machine that built it in front, and a stack behind.
AROUND = re.compile(r"^\[\d\d:\d\d:\d\d\] \S+:\d+: |\s*Stack trace:.*", re.DOTALL)


def said_of(fault: Exception) -> str:
    """The message without line breaks, cut where it is long; the kind of a fault without a message."""
    return " ".join(AROUND.sub("", str(fault)).split())[:LONGEST] or type(fault).__name__
