"""The model folders and handlers of the runtime's tests."""

from tests.runtime.conftest import handler, make_handler, reference_model, small, small_model

__all__ = ["handler", "make_handler", "reference_model", "small", "small_model"]
