"""Sums of integers → labelled areas, the table of conservation, changes and notices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr

from cobalance.landcover.band import NODATA, UNREAD, UnreadTile
from cobalance.landcover.legend import NODATA_CLASS, Legend
from cobalance.landcover.plan import Plan
from cobalance.landcover.sums import Sums
from cobalance.landcover.zones import invalid_regions
from cobalance.vocabulary.errors import Place, Problem, refuse

_M2_PER_HA = 1e4
_PARTS = ("classified", "nodata", "unread", "lost", "outside")


@dataclass(frozen=True)
class Tabulation:
    """What a run found.

    land_area     (region, year, land_class)  ha; NaN where a region got no pixel, and where a class of it was not met
                  but some of its tiles are unread
    pixels        the same in pixels, parts of pixels by exact coverage
    conservation  table: region, year, and pixels and ha of the whole region, of the classes, nodata, unread, lost (to
                  later regions, by overlap 'last') and outside the rasters; the difference is always zero
    transitions   table: region, year, next_year, land_class, next_land_class, area_ha, pixels; None if not asked for
    """

    land_area: xr.DataArray
    pixels: xr.DataArray
    conservation: pd.DataFrame
    transitions: pd.DataFrame | None
    unread: tuple[UnreadTile, ...]
    notices: tuple[Problem, ...]

    @cached_property
    def table(self) -> pd.DataFrame:
        """Tidy: region, year, land_class, area_ha, pixels; one row for each combination, in order."""
        frame = self.land_area.to_series().rename("area_ha").reset_index()
        frame["pixels"] = self.pixels.to_series().to_numpy()
        return frame


def tabulation(plan: Plan, sums: Sums, legend: Legend | None = None) -> Tabulation:
    """Put labels and units on the sums. Raises E633 if they do not conserve (they always must)."""
    nodata, labels, pixels, area = _by_class(plan, sums, legend)
    parts = _parts(plan, sums, nodata)
    conservation = _conservation_table(plan, parts, pixels.sum(axis=2), area.sum(axis=2))
    unknown = parts["unread"][..., 0] > 0
    empty = sums.inside[..., 0] == 0
    hidden = empty[..., None] | (unknown[..., None] & (pixels == 0))
    coords = {"region": list(plan.zones.codes), "year": list(plan.years), "land_class": labels}
    arrays = []
    for name, values, unit in (("land_area", area, "ha"), ("pixels", pixels, "1")):
        array = xr.DataArray(
            np.where(hidden, np.nan, values).transpose(1, 0, 2),
            coords=coords,
            dims=("region", "year", "land_class"),
            name=name,
            attrs={"units": unit, "coverage": plan.rules.coverage, "overlap": plan.rules.overlap},
        )
        arrays.append(array)
    return Tabulation(
        land_area=arrays[0],
        pixels=arrays[1],
        conservation=conservation,
        transitions=_transition_table(plan, sums, legend) if plan.rules.transitions else None,
        unread=tuple(sorted(sums.unread)),
        notices=tuple(_notices(plan, sums, legend, empty, conservation)),
    )


def _label(code: int, legend: Legend | None) -> int | str:
    if legend is None:
        return code
    return legend.get(code, str(code))


def _units(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """(year) units of the integers: weights a pixel, areas a hectare. Dividing by them rounds once."""
    layers = [plan.layer_of(year) for year in plan.years]
    pixel = np.array([float(1 << layer.shift) for layer in layers])
    hectare = np.array([layer.areas.scale * _M2_PER_HA for layer in layers])
    return pixel, hectare


def _by_class(
    plan: Plan, sums: Sums, legend: Legend | None
) -> tuple[np.ndarray, list[int | str], np.ndarray, np.ndarray]:
    """nodata (year, zone, 2) integers; class labels; pixels and ha (year, zone, class)."""
    codes, table = sums.codes, sums.table
    nodata = np.zeros((*table.shape[:2], 2), np.int64)
    groups: dict[int | str, np.ndarray] = {}
    for column in np.argsort(codes, kind="stable"):
        code, part = int(codes[column]), table[:, :, column]
        label = _label(code, legend)
        if code == UNREAD:
            continue
        if code == NODATA or label == NODATA_CLASS:
            nodata += part
        else:
            groups[label] = groups[label] + part if label in groups else part
    labels = list(groups)
    stacked = np.stack([groups[label] for label in labels], axis=2) if labels else np.zeros((*table.shape[:2], 0, 2))
    pixel, hectare = _units(plan)
    return nodata, labels, stacked[..., 0] / pixel[:, None, None], stacked[..., 1] / hectare[:, None, None]


def _parts(plan: Plan, sums: Sums, nodata: np.ndarray) -> dict[str, np.ndarray]:
    """Parts of each region as integers (year, zone, 2); checks that the classes fill what lies inside."""
    codes, table = sums.codes, sums.table
    unread = table[:, :, codes == UNREAD].sum(axis=2)
    classified = table[:, :, codes != UNREAD].sum(axis=2) - nodata
    difference = sums.inside - (classified + nodata + unread)
    if difference.any():
        year, zone = (int(i[0]) for i in np.nonzero(difference.any(axis=2)))
        raise refuse(
            "E633", region=plan.zones.codes[zone], year=plan.years[year], difference=difference[year, zone].tolist()
        )
    total = np.stack([sums.totals_of_year(year) for year in range(len(plan.years))])
    outside = total - sums.inside - sums.lost
    parts = dict(zip(_PARTS, (classified, nodata, unread, sums.lost, outside), strict=True))
    return {"total": total, **parts}


def _conservation_table(
    plan: Plan, parts: dict[str, np.ndarray], class_pixels: np.ndarray, class_area: np.ndarray
) -> pd.DataFrame:
    pixel, hectare = _units(plan)
    years, zones = len(plan.years), len(plan.zones)
    frame: dict[str, object] = {
        "region": np.repeat(np.array(plan.zones.codes, dtype=object), years),
        "year": np.tile(np.array(plan.years), zones),
    }
    for at, (unit, factor) in enumerate((("pixels", pixel), ("ha", hectare))):
        for name, values in parts.items():
            frame[f"{name}_{unit}"] = (values[..., at] / factor[:, None]).T.ravel()
        published = class_pixels if unit == "pixels" else class_area
        rest = sum(parts[name][..., at] for name in _PARTS[1:])
        whole = published + rest / factor[:, None]
        frame[f"difference_{unit}"] = (whole - parts["total"][..., at] / factor[:, None]).T.ravel()
    return pd.DataFrame(frame)


def _transition_table(plan: Plan, sums: Sums, legend: Legend | None) -> pd.DataFrame:
    pixel, hectare = _units(plan)
    rows = sums.changes
    rows = rows[np.argsort(rows[:, 2], kind="stable")]
    frame = pd.DataFrame(
        {
            "region": [plan.zones.codes[zone] for zone in rows[:, 2]],
            "year": [plan.years[year] for year in rows[:, 0]],
            "next_year": [plan.years[year] for year in rows[:, 1]],
            "land_class": [_change_label(code, legend) for code in rows[:, 3].tolist()],
            "next_land_class": [_change_label(code, legend) for code in rows[:, 4].tolist()],
            "area_ha": rows[:, 6] / hectare[rows[:, 0]],
            "pixels": rows[:, 5] / pixel[rows[:, 0]],
        }
    )
    keys = ["region", "year", "next_year", "land_class", "next_land_class"]
    return frame.groupby(keys, sort=False, as_index=False).sum()


def _change_label(code: int, legend: Legend | None) -> int | str:
    return NODATA_CLASS if code == NODATA else _label(code, legend)


def _notices(
    plan: Plan, sums: Sums, legend: Legend | None, empty: np.ndarray, conservation: pd.DataFrame
) -> list[Problem]:
    notices = []
    for y, year in enumerate(plan.years):
        regions = [plan.zones.codes[z] for z in np.flatnonzero(empty[y])]
        if regions:
            notices.append(Problem("W601", Place(), {"regions": regions, "year": year}))
    share = 100.0 * conservation["outside_ha"] / conservation["total_ha"].where(conservation["total_ha"] > 0)
    partly = conservation[(share > 0.1) & (conservation["outside_pixels"] < conservation["total_pixels"])]
    for in_year, rows in partly.groupby("year"):
        most = f"{share[rows.index].max():.1f}"
        notices.append(Problem("W602", Place(), {"regions": rows["region"].tolist(), "year": in_year, "share": most}))
    for tile in sorted(sums.unread):
        details = {"row": tile.row, "column": tile.column, "offset": tile.offset, "what": tile.what}
        notices.append(Problem("W603", Place(file=tile.path), details))
    if legend is not None:
        codes = sorted(code for code in sums.codes.tolist() if code not in (NODATA, UNREAD) and code not in legend)
        if codes:
            notices.append(Problem("W604", Place(), {"codes": codes}))
    invalid = invalid_regions(plan.zones) if plan.rules.coverage == "centre" else {}  # exact coverage refused them
    if invalid:
        notices.append(Problem("W605", Place(), {"regions": list(invalid)}))
    return notices
