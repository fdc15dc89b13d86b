"""Boosters as bits of conditions, which numpy scores whole batches with: docs/decisions/0012-rows-as-bits.md."""
