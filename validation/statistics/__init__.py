"""Tests of a validation, each with formula, source, size and power. What is undefined is NaN, never 0."""
