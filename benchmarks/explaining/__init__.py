"""Contributions of explainers against Shapley values by definition, each explainer in its own environment."""
