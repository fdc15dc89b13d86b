"""Objects in S3: tables that are read, runs and models that are written so that the last good one is never lost."""
