"""Boosters as bits of conditions, with which numpy scores whole batches: docs/decisions/0012-rows-as-bits.md."""
