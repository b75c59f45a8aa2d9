"""What MLflow is sent, in order, exactly once. Only `store` and `uploader` import mlflow."""
