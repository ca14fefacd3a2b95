"""Space: weights, Moran's I of whole panels, clusters through time, gravity centres.

``from cobalance.spatial import local_moran`` and so on; names are looked up when asked for, so that importing the
package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "arrays": ("local_arrays",),
    "bivariate": (
        "bivariate_local_moran",
        "bivariate_moran",
        "differential_local_moran",
        "differential_moran",
        "empirical_bayes_rate",
    ),
    "gravity": ("gravity_centre",),
    "hotspots": ("getis_ord", "local_geary"),
    "moran": ("global_moran", "local_moran"),
    "permutation": ("Permutation",),
    "shift": ("centre_uncertainty", "shift_contributions"),
    "transitions": (
        "cluster_moves",
        "cluster_persistence",
        "cluster_stability",
        "cluster_transitions",
        "colocated_clusters",
    ),
    "weights": (
        "Weights",
        "bridged",
        "contiguity",
        "distance_band",
        "from_libpysal",
        "higher_order",
        "inverse_distance",
        "k_nearest",
        "kernel",
        "read_weights",
        "to_libpysal",
        "weights_from",
        "write_gal",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
