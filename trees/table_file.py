"""Write the format of reasons.bin and batch.bin, which runtime.table_file reads."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from runtime.table_file import ALIGNED, TableFile


def bytes_of(form: TableFile, head: Mapping[str, Any], arrays: Mapping[str, ArrayLike]) -> bytes:
    """The bytes of a file: `head` with the lengths of the arrays, and the arrays by their names in `form`, flat.

    An array that a file may lack is left out of `arrays`.
    """
    parts = {name: np.asarray(arrays[name], dtype=kind) for name, kind in form.arrays.items() if name in arrays}
    whole = dict(head) | {"lengths": {name: len(part) for name, part in parts.items()}}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()
    content = bytearray(form.magic + form.version.to_bytes(4, "little") + len(text).to_bytes(4, "little") + text)
    for part in parts.values():
        content += bytes(-len(content) % ALIGNED)
        content += part.tobytes()
    return bytes(content)
