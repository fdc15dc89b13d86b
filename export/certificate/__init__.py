"""The proof that a graph answers as the fitted pipeline does."""
