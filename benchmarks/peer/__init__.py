"""What users have today: FastAPI, Mangum, pandas and joblib around the same fitted pipeline."""
