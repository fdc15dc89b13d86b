"""requirements/*.txt: every version with its hashes, as `make lock` resolves them."""
