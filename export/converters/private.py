"""Private names of skl2onnx that the export uses; pyproject.toml holds skl2onnx below its next major.

* `operator_names`, `parsers`, `converters`, `shape_calculators`: what is registered for a class, or under an operator's
  name. There is no public way to read them, nor to take one back.
* `parse_sklearn`: declares the operators of a nested pipeline. A parser that is registered for a classifier gets no
  public way to have the preparation in front of its base estimators declared.
* `register_converter`, `register_shape_calculator`: put one under an operator's name, where the public function wants
  a class.
* `parse_simple`: declares an operator as skl2onnx does for a class without a parser.
"""

from skl2onnx._parse import _parse_sklearn as parse_sklearn
from skl2onnx._parse import _parse_sklearn_simple_model as parse_simple
from skl2onnx._parse import sklearn_parsers_map as parsers
from skl2onnx._supported_operators import sklearn_operator_name_map as operator_names
from skl2onnx.common._registration import _converter_pool as converters
from skl2onnx.common._registration import _shape_calculator_pool as shape_calculators
from skl2onnx.common._registration import register_converter, register_shape_calculator

__all__ = [
    "converters",
    "operator_names",
    "parse_simple",
    "parse_sklearn",
    "parsers",
    "register_converter",
    "register_shape_calculator",
    "shape_calculators",
]
