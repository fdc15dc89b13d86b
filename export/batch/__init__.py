"""batch.bin of a fitted pipeline, and the proof that it answers as the graph does."""
