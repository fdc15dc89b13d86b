"""Boosters as bits of conditions, which numpy scores whole batches with: docs/decisions/0011-rows-as-bits.md."""
