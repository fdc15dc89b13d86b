"""The fitted pipeline: preparation, cross-fitted boosters, one calibrator."""
