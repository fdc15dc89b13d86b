"""A plugin of pytest: `-p benchmarks.registered` runs somebody's tests with the exact converters registered."""

import lastbit

lastbit.register()
