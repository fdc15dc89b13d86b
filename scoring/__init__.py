"""Whole tables through the exact model: Arrow record batches in, columns out, on one machine or on a Dask cluster."""
