"""The parts that every command shares: errors, exit status, progress, parsers."""
