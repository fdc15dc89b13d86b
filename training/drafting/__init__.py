"""A configuration drafted from a table: a sample of its rows, a guess for each column, and the TOML that says both."""
