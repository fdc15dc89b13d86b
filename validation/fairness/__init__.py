"""Differences of a model's answers between groups of people: context for decisions, never legal advice."""
