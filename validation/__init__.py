"""The quality of the probabilities, and its presentation to people."""
