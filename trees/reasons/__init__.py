"""Interventional Shapley values of boosters as tables that numpy looks up: docs/decisions/0008-reasons-by-tables.md."""
