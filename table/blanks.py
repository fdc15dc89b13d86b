"""Text columns separated by blanks, as R and Fortran print them."""

import csv
import io
import re

BLANK = " "  # as a separator: any number of blanks and tabs


def fields_of(line: str) -> list[str]:
    """The cells of a line; one in quotes may hold blanks."""
    if '"' not in line:
        return line.split()
    [row] = csv.reader([line.replace("\t", " ").strip()], delimiter=" ", skipinitialspace=True) or [[]]
    return row


def with_tabs(content: bytes) -> bytes:
    """The same lines, their cells separated by one tab each."""
    if b'"' not in content:
        return re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", content))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter="\t", lineterminator="\n")
    for line in content.decode("utf-8-sig", errors="surrogateescape").splitlines():
        cells = fields_of(line)
        if cells:
            writer.writerow(cells)
        else:
            out.write("\n")
    return out.getvalue().encode(errors="surrogateescape")
