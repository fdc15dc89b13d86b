"""What answers a request: onnxruntime, numpy and the standard library, nothing else."""
