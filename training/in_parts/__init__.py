"""Training on a table that is never in memory as a whole: on one machine's disk, or on a Dask cluster's workers."""
