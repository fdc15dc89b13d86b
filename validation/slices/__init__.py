"""Slices of a table, by one feature and by two: where a model is worst, and where it overfits."""
