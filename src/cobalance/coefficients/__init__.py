"""Rates and factors of the literature: sets as CSV files, chosen and mixed by name."""

from cobalance.coefficients.load import (
    DEFAULT_SELECTION,
    Coefficients,
    Selection,
    coefficient_sets,
    coefficients,
    read_set,
    set_names,
)

__all__ = [
    "DEFAULT_SELECTION",
    "Coefficients",
    "Selection",
    "coefficient_sets",
    "coefficients",
    "read_set",
    "set_names",
]
