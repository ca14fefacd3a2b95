"""The optional automatic models: they run where statsforecast is installed and say how to get it where it is not."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import xarray as xr

from cobalance.outlook.ensemble import outlook
from cobalance.outlook.models import CLASSIC
from cobalance.vocabulary.errors import CobalanceError


def activities() -> xr.DataArray:
    lines = np.array([10 + np.arange(10.0), [5.0] * 4 + [np.nan] + [5.0] * 5, [0.0] * 10])
    return xr.DataArray(
        lines[:, None],
        dims=("region", "activity", "year"),
        coords={"region": ["line", "hole", "zero"], "activity": ["coal"], "year": range(2011, 2021)},
        attrs={"units": "t"},
    )


@pytest.mark.filterwarnings("ignore")
def test_classic_models_stand_beside_the_others() -> None:
    pytest.importorskip("statsforecast")
    result = outlook(activities(), window=(2011, 2020), years=[2025, 2030], models=["linear", *CLASSIC])
    ahead = result["outlook"].sel(region="line", activity="coal")
    assert ahead.sel(model="auto_arima").values == pytest.approx([24.0, 29.0], rel=1e-6)  # drift, exact on a line
    assert ahead.sel(model="auto_ets").values == pytest.approx([24.0, 29.0], rel=0.02)
    assert (ahead.sel(model="auto_theta") > 19).all()
    reason = result["outlook_reason"].sel(activity="coal")
    assert reason.sel(model="auto_ets").values.tolist() == ["", "missing years", "always zero"]


@pytest.mark.parametrize("name", list(CLASSIC))
def test_an_absent_package_is_named_with_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def without(module: str, *rest: Any) -> Any:
        if module.startswith("statsforecast"):
            raise ImportError(module)
        return real(module, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(CobalanceError, match=r"E831.*pip install statsforecast"):
        outlook(activities(), window=(2011, 2020), years=[2030], models=[name])
