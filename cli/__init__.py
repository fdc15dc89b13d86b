"""What every command shares: errors, exit status, progress, the parsers' common parts."""
