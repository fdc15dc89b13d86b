"""How good the probabilities are, and how people see it."""
