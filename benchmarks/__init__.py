"""Every figure that the README quotes, measured again: `make bench`. Times are ratios within one run."""
