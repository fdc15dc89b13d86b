"""Import a package without those of its libraries that nothing here needs."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what an import asks every module for
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is not self:
            return getattr(import_module(self.__name__), name)
        # `from module import function`, while it stands in.
        return lambda *given, **named: getattr(import_module(self.__name__), name)(*given, **named)


@contextmanager
def loaded_later(names: Sequence[str]) -> Iterator[None]:
    """Let the imports of the block find stand-ins for those of the modules that are not loaded yet.

    A stand-in imports the real module when something is read from it later.
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
