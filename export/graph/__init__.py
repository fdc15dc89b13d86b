"""A fitted pipeline as one ONNX graph."""
