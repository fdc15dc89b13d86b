"""Reasons of a score: players and reference rows of a fitted pipeline, their tables, and the proof that they hold."""
