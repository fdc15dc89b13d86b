"""From a fitted pipeline to one ONNX graph, and the proof that both answer the same."""
