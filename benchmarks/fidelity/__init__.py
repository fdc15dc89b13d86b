"""Answers of exporters and servers for a fitted pipeline, against the pipeline itself, each in its own environment."""

CLOSE = 1e-6
"""Float32 sums in another order differ by less: what is further off took another leaf or another formula."""
