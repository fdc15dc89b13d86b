"""Objects in S3: tables that are read, and runs and models that are written so that the last good one is never lost."""
