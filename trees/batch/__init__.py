"""Boosters as bits of conditions, which numpy scores whole batches with: docs/decisions/0015-rows-as-bits.md."""
