"""Drafts of configurations: a table is read whole, and a guess at each column becomes a TOML."""
