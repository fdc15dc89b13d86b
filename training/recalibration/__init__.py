"""A new calibrator over the trees of a finished run: docs/recalibrate.md."""
