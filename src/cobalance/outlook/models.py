"""The models by name. A new model is one function ``Panel -> Fit`` and one line here."""

from __future__ import annotations

from cobalance.outlook.baselines import last_value, mean_growth
from cobalance.outlook.classic import auto_arima, auto_ets, auto_theta
from cobalance.outlook.grey import grey
from cobalance.outlook.grey_variants import grey_background, grey_discrete, grey_rolling
from cobalance.outlook.growth import damped_growth, growth
from cobalance.outlook.linear import linear
from cobalance.outlook.panel import Model
from cobalance.outlook.theil_sen import theil_sen

PAPER = ("linear", "grey", "growth")
"""The three models whose plain mean is the published method."""

BASELINES = ("last_value", "mean_growth")
"""What a forecast has to beat in the backtest."""

MODELS: dict[str, Model] = {
    "linear": linear,
    "grey": grey,
    "growth": growth,
    "damped_growth": damped_growth,
    "theil_sen": theil_sen,
    "grey_discrete": grey_discrete,
    "grey_background": grey_background,
    "grey_rolling": grey_rolling,
    "last_value": last_value,
    "mean_growth": mean_growth,
}

CLASSIC: dict[str, Model] = {"auto_ets": auto_ets, "auto_theta": auto_theta, "auto_arima": auto_arima}
"""Models that need the optional package statsforecast."""

ALL_MODELS = MODELS | CLASSIC
