"""The models by name. A new model is one function ``Panel -> Fit`` and one line here."""

from __future__ import annotations

from cobalance.outlook.grey import grey
from cobalance.outlook.growth import damped_growth, growth
from cobalance.outlook.linear import linear
from cobalance.outlook.panel import Model

PAPER = ("linear", "grey", "growth")
"""The three models whose plain mean is the published method."""

MODELS: dict[str, Model] = {
    "linear": linear,
    "grey": grey,
    "growth": growth,
    "damped_growth": damped_growth,
}
