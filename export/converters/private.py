"""What the export uses of skl2onnx that has no public name; pyproject.toml holds skl2onnx below its next major.

* `operator_names`, `parsers`: the converter and the parser that are registered for a class. There is no public way to
  read them, nor to take one back.
* `parse_sklearn`: declares the operators of a nested pipeline. A parser that is registered for a classifier gets no
  public way to have the preparation in front of its base estimators declared.
"""

from skl2onnx._parse import _parse_sklearn as parse_sklearn
from skl2onnx._parse import sklearn_parsers_map as parsers
from skl2onnx._supported_operators import sklearn_operator_name_map as operator_names

__all__ = ["operator_names", "parse_sklearn", "parsers"]
