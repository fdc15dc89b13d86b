"""Import a package without those of its libraries that nothing here needs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

# scikit-learn and others import these for a few functions that hardly a command calls: a third of what their own import
# takes.
STATISTICS = ("scipy.stats", "scipy.stats.mstats")


class _Later(ModuleType):
    """Stands in for a module, which it imports when something is read from it later."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what an import asks every module for
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:  # `from module import name`
            return _Name(self, name)
        return getattr(import_module(self.__name__), name)

    def real(self) -> ModuleType:
        """The module itself, also while it is stood in for."""
        if sys.modules.get(self.__name__) is self:
            for name in [self.__name__, *(name for name in list(sys.modules) if name.startswith(f"{self.__name__}."))]:
                if isinstance(sys.modules.get(name), _Later):
                    del sys.modules[name]
        return import_module(self.__name__)


class _Name:
    """Stands in for a function or an object of a module that is imported later."""

    def __init__(self, module: _Later, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._itself(), name)

    def __call__(self, *given: Any, **named: Any) -> Any:
        return self._itself()(*given, **named)

    def _itself(self) -> Any:
        return getattr(self._module.real(), self._name)


@contextmanager
def loaded_later(names: Sequence[str]) -> Iterator[None]:
    """Let the imports of the block find stand-ins for those of the modules that are not loaded yet.

    A stand-in imports the real module when something is called or read from it. Classes of a module cannot be derived
    from in the block.
    """
    stand_ins = {name: _Later(name) for name in names if name not in sys.modules}
    for name, module in stand_ins.items():
        parent, _, child = name.rpartition(".")
        if parent in stand_ins:
            setattr(stand_ins[parent], child, module)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


@contextmanager
def absent(names: Sequence[str]) -> Iterator[None]:
    """Let the imports of the block find those of the modules that are not loaded yet as if they were not installed."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name, hidden) is None:
                del sys.modules[name]
