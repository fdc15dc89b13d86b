"""Pictures of README and docs: drawn by one command, each with the digests of the code that it shows."""
