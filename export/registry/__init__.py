"""Published models in S3: versions that never change, and a pointer to the latest."""
