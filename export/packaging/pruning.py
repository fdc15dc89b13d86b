"""Files of the wheels that a Lambda does not need, each with its reason: docs/package.md explains the list.

A rule may only name what neither `import numpy, onnxruntime` nor an answer loads. tests/export/packaging imports every
module that is left and lets the handler answer every kind of event from the pruned folder.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Rule:
    """`pattern` is about the path of a file within its wheel; `*` goes across slashes."""

    pattern: str
    reason: str


RULES = (
    # libonnxruntime_providers_shared.so (15 kB) stays: without it every start writes a warning.
    Rule(
        "onnxruntime/capi/libonnxruntime.so*",
        "the whole runtime once more, for programs in C; Python's is in onnxruntime_pybind11_state",
    ),
    Rule("onnxruntime/capi/convert_npz_to_onnx_adapter.py", "a command for LoRA adapters"),
    Rule("onnxruntime/transformers/*", "tools that rewrite language models before they are deployed"),
    Rule("onnxruntime/quantization/*", "tools that shrink models before they are deployed"),
    Rule("onnxruntime/tools/*", "tools that inspect and convert models"),
    Rule("onnxruntime/datasets/*", "three example models"),
    Rule("onnxruntime/backend/*", "the interface that the onnx package tests runtimes by"),
    Rule("numpy/*/tests/*", "tests"),
    Rule("numpy/tests/*", "tests"),
    Rule("numpy/conftest.py", "tests"),
    Rule("numpy/_core/_*_tests.*.so", "extension modules that only tests load"),
    Rule("numpy/_core/_simd.*.so", "an extension module that only tests load"),
    Rule("numpy/testing/*", "helpers for tests; numpy loads it when it is asked for"),
    Rule("numpy/f2py/*", "compiles Fortran"),
    Rule("numpy/*/include/*", "C headers"),
    Rule("numpy/*.a", "static libraries, to link extension modules with"),
    Rule("numpy/_core/cversions.py", "a step of building numpy, which does not even import"),
    Rule("numpy/_core/lib/*", "configuration for linking with those"),
    Rule("numpy/*.p[xy][dx]", "sources and declarations for Cython"),
    Rule("numpy/random/*", "random numbers; numpy loads it when it is asked for, and an answer draws none"),
    Rule("numpy/fft/*", "Fourier transforms; numpy loads it when it is asked for"),
    Rule("numpy/polynomial/*", "polynomials; numpy loads it when it is asked for"),
    Rule("numpy/ma/*", "masked arrays; numpy loads it when it is asked for"),
    Rule("numpy/lib/recfunctions.py", "functions on structured arrays; needs numpy.ma"),
    Rule("numpy/ctypeslib/*", "arrays for ctypes; numpy loads it when it is asked for"),
    Rule("numpy/matlib.py", "deprecated, and never loaded by numpy itself"),
    Rule("numpy/typing/*", "names for type checkers, and their tests"),
    Rule("numpy/distutils/*", "compiles extension modules; gone from the numpy of Python 3.12 and later"),
    Rule("numpy/_pyinstaller/*", "a hook for another packager"),
    Rule("numpy/doc/*", "documentation"),
    Rule("*.pyi", "types for type checkers"),
    Rule("*.dist-info/RECORD", "an installer's list of files, which no longer holds"),
    Rule("*.dist-info/WHEEL", "for an installer"),
    Rule("*.dist-info/entry_points.txt", "commands; METADATA and licences stay, for scanners and for lawyers"),
    Rule("*.dist-info/top_level.txt", "for an installer"),
)

# Requirements of the wheels that no answer needs: imported by the tools above, never by
# `import onnxruntime`.
DEPENDENCIES_LEFT_OUT = {
    "flatbuffers": "for onnxruntime.tools and onnxruntime.quantization, which write other formats with it",
    "packaging": "for onnxruntime.transformers and onnxruntime.backend, which compare versions with it",
    "protobuf": "for the tools that edit models; a session reads them in C++",
}


def rule_for(path: str) -> Rule | None:
    """The first rule that leaves the file out, None if it is kept."""
    return next((rule for rule in RULES if fnmatchcase(path, rule.pattern)), None)
