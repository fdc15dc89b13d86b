"""From a raw table to a fitted, calibrated and evaluated scikit-learn pipeline."""
