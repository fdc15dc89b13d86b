"""Importing a package that draws, without what it draws with.

optbinning imports matplotlib for figures that nothing here asks for: most of the time that it takes to import, and
more memory than the bins need. While it is imported, a stand-in has the place of each of these modules. It imports the
real one when something is read from it later, so the figures work for those who draw them in the same process.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

PICTURES = (
    "matplotlib",
    "matplotlib.patches",
    "matplotlib.pyplot",
    "matplotlib.ticker",
    "mpl_toolkits.axes_grid1",
)


class _Later(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what an import asks every module for
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is not self:
            return getattr(import_module(self.__name__), name)
        # `from module import function`, while it stands in.
        return lambda *given, **named: getattr(import_module(self.__name__), name)(*given, **named)


@contextmanager
def loaded_later(names: Sequence[str] = PICTURES) -> Iterator[None]:
    """Let the imports of the block find stand-ins for those of the modules that are not loaded yet."""
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
