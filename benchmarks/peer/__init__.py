"""The usual stack: FastAPI, Mangum, pandas and joblib around the same fitted pipeline."""
