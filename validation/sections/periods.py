"""Period by period: default rate, prediction, ranking and the score's stability, and the traffic lights of them all."""

from typing import Any

import numpy as np
import pandas as pd

from validation.sections.json_types import known
from validation.sections.section import Claim, Part, Subject
from validation.sections.slices import claims_of, entries_of
from validation.statistics.traffic_lights import colours, sequence

NO_PERIODS = "no periods were requested (--period month, quarter or year with a time column, or a folder of files)"


def make(subject: Subject) -> Part:
    """An entry a period, in the order of time."""
    periods = subject.rows.periods
    if periods is None:
        return Part(None, NO_PERIODS)
    entries, hidden, without = entries_of(subject, periods)
    indices = {} if subject.stability is None else {e["period"]: e for e in subject.stability["by_period"]}
    for entry in entries:
        entry |= {"psi": indices.get(entry["level"], {}).get("psi"), "light": None}
    tested = [entry for entry in entries if "observed" in entry]
    expected, size, defaults = (
        np.array([entry[name] for entry in tested], dtype=np.float64) for name in ("expected", "known", "defaults")
    )
    lights = colours(expected, size, defaults)
    for entry, light in zip(tested, lights, strict=True):
        entry["light"] = light
    p = sequence([light for light in lights if light is not None])
    figure: dict[str, Any] = {
        "periods": entries,
        "hidden": hidden,
        "rows_hidden": without,
        "least": subject.settings.least,
        "traffic_lights": {"p": p, "periods": len(lights)},
    }
    claims = claims_of("periods", "period", entries)
    if len(lights) > 1:
        claims.append(
            Claim(
                "periods",
                "Risk is understated period after period",
                p,
                float(sum(light in ("orange", "red") for light in lights)),
                "the colours that chance gives",
                "custom",
                f"Of {len(lights)} periods {sum(light in ('orange', 'red') for light in lights)} are orange or red "
                "(traffic lights). One bad year may be the economy; several in a row point to the calibration.",
            )
        )
    return Part(known(figure), claims=claims, tables={"periods": pd.DataFrame(entries)})
