"""Land-cover rasters × regions → the area of each land class, by region and year.

Nothing is imported until it is asked for: numba alone takes a second.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cobalance.landcover.areas import Options, class_areas, tabulate
    from cobalance.landcover.result import Tabulation

__all__ = ["Options", "Tabulation", "class_areas", "tabulate"]

_HOMES = {"Options": "areas", "Tabulation": "result", "class_areas": "areas", "tabulate": "areas"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"cobalance.landcover.{_HOMES[name]}"), name)
