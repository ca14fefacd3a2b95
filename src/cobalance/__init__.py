"""Carbon–oxygen balance of regions.

The command line runs whole studies; the names here work alone, on arrays and frames of one's own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cobalance.landcover import class_areas
    from cobalance.spatial.gravity import gravity_centre
    from cobalance.spatial.moran import global_moran, local_moran
    from cobalance.study.pipeline import check_study, run_study
    from cobalance.study.results import Results

__version__ = "0.1.0"
__all__ = ["Results", "check_study", "class_areas", "global_moran", "gravity_centre", "local_moran", "run_study"]

_HOMES = {
    "Results": "study.results",
    "check_study": "study.pipeline",
    "class_areas": "landcover",
    "global_moran": "spatial.moran",
    "gravity_centre": "spatial.gravity",
    "local_moran": "spatial.moran",
    "run_study": "study.pipeline",
}


def __getattr__(name: str) -> Any:
    """Each name from its home when it is first asked for, so that the command line starts at once."""
    if name not in _HOMES:
        raise AttributeError(f"module 'cobalance' has no attribute '{name}'")
    return getattr(import_module(f"cobalance.{_HOMES[name]}"), name)
