"""The serving path: onnxruntime, numpy and the standard library, nothing else."""
