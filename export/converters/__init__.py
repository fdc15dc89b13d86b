"""Each fitted part as ONNX operators, exactly."""
