"""Identifies functions so that another process can import them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FunctionName:
    """The location of a function: at the top level of a module, or in a class there."""

    module: str
    path: str

    @classmethod
    def of(cls, function: Callable[..., Any]) -> FunctionName:
        """Returns the location of a function.

        Raises:
            TypeError: It is a lambda, a method, a partial, or nested in another function.
        """
        module, path = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
        if module is None or path is None or "<" in path or hasattr(function, "__self__"):
            raise TypeError(f"{function!r} can't run in a process: it has to be a function at the top of a module")
        return cls(module, path)

    def find(self) -> Any:
        """Imports the module and returns the object at the path.

        Raises:
            ImportError: There is no such module.
            AttributeError: The module has no such object.
        """
        found: Any = importlib.import_module(self.module)
        for name in self.path.split("."):
            found = getattr(found, name)
        return found
