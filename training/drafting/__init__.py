"""Drafts of configurations: a table is read whole, and what its columns seem to be becomes a TOML."""
