"""The one place where the project makes an ONNX Runtime session.

Importing this module, before anything else imports onnxruntime or numpy, keeps both quiet: the official
onnxruntime wheels from 1.29 on report to their maker, write a small database under the home directory and
start a thread as soon as they are imported, and numpy's OpenBLAS starts a pool of threads for nothing.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import onnxruntime


def open_session(model: str | bytes) -> onnxruntime.InferenceSession:
    """Open a model (a path, or the serialised graph) for exact and quiet inference on one thread.

    One thread is part of the contract, not a tuning choice: with more, ONNX Runtime splits the sum over the
    trees of a single row and the float32 margin is no longer the one that XGBoost computes. Use more cores by
    giving each of several processes its own rows.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3
    # The graph is certified operation by operation, so it runs as it is written; and a start saves the rewriting.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
