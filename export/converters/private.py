"""What the export uses of skl2onnx that has no public name; pyproject.toml holds skl2onnx below its next major.

* `parse_sklearn`: declares the operators of a nested pipeline. A parser that is registered for a classifier gets no
  public way to have the preparation in front of its base estimators declared.
"""

from skl2onnx._parse import _parse_sklearn as parse_sklearn

__all__ = ["parse_sklearn"]
