"""Optimal bins without matplotlib, and figures for those who want them afterwards."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from training.exploration.without_pictures import loaded_later

with loaded_later():
    import optbinning
    from optbinning.binning import binning_statistics
    from optbinning.binning.multidimensional import binning_statistics_2d
assert not any(name.partition(".")[0] in ("matplotlib", "mpl_toolkits") for name in sys.modules)

binning = optbinning.OptimalBinning("x").fit(list(range(200)) * 2, [0] * 300 + [1] * 100)
table = binning.binning_table
table.build()
assert "matplotlib" not in sys.modules
assert callable(binning_statistics_2d.make_axes_locatable)

import matplotlib
matplotlib.use("agg")
table.plot(metric="event_rate", savefig=sys.argv[1])
assert binning_statistics.plt.get_backend() == "agg"
"""


def test_optbinning_loads_no_matplotlib_until_it_draws(tmp_path: Path) -> None:
    figure = tmp_path / "figure.png"
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(figure)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert figure.read_bytes().startswith(b"\x89PNG")
