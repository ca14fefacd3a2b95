"""Which row of which set holds for an item, region and year.

The rows of the preferred sets are narrowed to one row for each label, every step leaving its trace in ``locator`` and
``status``; nothing is taken from a set that was not chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from cobalance.coefficients.sets import COLUMNS, EVERYWHERE, STATUSES, quantities, read_set, set_names
from cobalance.vocabulary.errors import CobalanceError, Place, Problems, nearest

Preference: TypeAlias = str | Path | Sequence[str | Path]
Selection: TypeAlias = Mapping[str, "Preference | Mapping[str, Preference] | None"]
"""Family → a set, sets in order of preference, or a mapping of ``default`` and items to either; None: not wanted."""

DEFAULT_SELECTION: Selection = {
    "sequestration": "npp-footprint",
    "emission": "ipcc2006",
    "oxygen": "oxidative-ratio",
    "cement": "cement-andrew2025",
    "respiration": "nasa-rp1324",
    "photosynthesis": "pq-1",
}
FAMILIES = tuple(DEFAULT_SELECTION)
OXYGEN_PER_CARBON = 32 / 12
"""Mass of O2 per mass of C at one mole each."""

_BOUNDS = ("low", "high")


@dataclass(frozen=True)
class Scope:
    """The regions and years that coefficients are wanted for."""

    regions: tuple[str, ...]
    years: tuple[int, ...]


class Choice:
    """The chosen sets of every family, read once. Problems are collected in ``problems``, not raised."""

    def __init__(self, selection: Selection, items: Mapping[str, Collection[str]], problems: Problems) -> None:
        self.problems = problems
        self._families: dict[str, dict[str, list[pd.DataFrame]]] = {}
        for family in selection:
            if family not in FAMILIES:
                known = {"expected": ", ".join(FAMILIES), "nearest": nearest(family, FAMILIES)}
                problems.add("E520", place_of(), found=family, **known)
        frames: dict[str, pd.DataFrame | None] = {}
        for family in FAMILIES:
            chosen = _preferences(selection.get(family, DEFAULT_SELECTION[family]), family, items[family], problems)
            self._families[family] = {
                item: [frame for name in names if (frame := self._frame(name, family, frames)) is not None]
                for item, names in chosen.items()
            }

    def frames(self, family: str, item: str) -> list[pd.DataFrame]:
        """The sets for an item of a family, in order of preference; none where it is not wanted or was refused."""
        choice = self._families[family]
        return choice.get(item, choice.get("default", []))

    def rows(
        self, quantity: str, item: str, scope: Scope, frames: Sequence[pd.DataFrame] | None = None
    ) -> pd.DataFrame:
        """One row for each region (or ``*``) and year (or none) of ``scope``; empty, with a problem, where it fails.

        The first set that has the item for a region decides, its row for the region before its row for ``*``.
        """
        family = quantities()[quantity].family
        frames = self.frames(family, item) if frames is None else frames
        candidates = [matching(frame, quantity, item) for frame in frames]
        found: list[pd.DataFrame] = []
        open_regions = list(scope.regions)
        covered = False
        for frame in candidates:
            own = frame[frame["region"].isin(open_regions)]
            found.append(own)
            open_regions = [region for region in open_regions if region not in set(own["region"])]
            everywhere = frame[frame["region"] == EVERYWHERE]
            if len(everywhere) and (open_regions or not scope.regions):
                found.append(everywhere)
                covered = True
                break
        if not covered and (open_regions or not scope.regions):
            if frames:
                self._add_missing(quantity, item, frames, candidates, open_regions)
            return _nothing()
        pieces = [
            by_year(group, scope.years, self.problems)
            for frame in found
            for _, group in frame.groupby(["set", "region"], sort=False)
        ]
        return pd.concat(pieces, ignore_index=True) if pieces else _nothing()

    def oxygen_rows(self, rate: Mapping[Any, Any], years: Sequence[int]) -> pd.DataFrame:
        """The oxygen that the set of a sequestration rate itself gives for the same item and region, if any."""
        item = str(rate["item"])
        for frame in self.frames("sequestration", item):
            rows = matching(frame[frame["set"] == rate["set"]], "oxygen_release_rate", item)
            rows = rows[rows["region"] == rate["region"]]
            if len(rows):
                return by_year(rows, years if pd.isna(rate["year"]) else (rate["year"],), self.problems)
        return _nothing()

    def _frame(self, name: str | Path, family: str, frames: dict[str, pd.DataFrame | None]) -> pd.DataFrame | None:
        if str(name) not in frames:
            try:
                frames[str(name)] = _with_oxygen_per_carbon(read_set(name))
            except CobalanceError as error:
                frames[str(name)] = None
                for problem in error.problems:
                    place = problem.place if problem.place.file else place_of(family)
                    self.problems.add(problem.code, place, **problem.details)
        return frames[str(name)]

    def _add_missing(
        self,
        quantity: str,
        item: str,
        frames: Sequence[pd.DataFrame],
        candidates: Sequence[pd.DataFrame],
        regions: list[str],
    ) -> None:
        place = place_of(quantities()[quantity].family)
        details: dict[str, Any] = {"sets": names_of(frames), "quantity": quantity, "item": item}
        elsewhere = [region for frame in candidates for region in frame["region"]]
        if elsewhere:
            known = list(dict.fromkeys(elsewhere))
            self.problems.add("E527", place, found=known, regions=regions or EVERYWHERE, **details)
        else:
            self.problems.add("E523", place, fitting=sets_with(quantity, item) or "–", **details)


def place_of(family: str | None = None) -> Place:
    """Where a choice of sets stands in a study file."""
    return Place(key=f"coefficients.{family}" if family else "coefficients")


def names_of(frames: Iterable[pd.DataFrame]) -> list[str]:
    return list(dict.fromkeys(name for frame in frames for name in frame["set"]))


def matching(frame: pd.DataFrame, quantity: str, item: str) -> pd.DataFrame:
    """The rows of a quantity for an item, or those for every item (``*``) where it has none of its own."""
    rows = frame[frame["quantity"] == quantity]
    own = rows[rows["item"] == item]
    return own if len(own) else rows[rows["item"] == EVERYWHERE].assign(item=item)


def sets_with(quantity: str, item: str) -> list[str]:
    """Shipped sets that have a quantity for an item, whatever the region."""
    shipped = {name: _with_oxygen_per_carbon(read_set(name)) for name in set_names()}
    return [name for name, frame in shipped.items() if len(matching(frame, quantity, item))]


def weakest(*statuses: str) -> str:
    """The least firm of statuses: what is derived from a recalled number stays recalled."""
    return max(statuses, key=list(STATUSES).index)


def by_year(rows: pd.DataFrame, years: Sequence[int], problems: Problems) -> pd.DataFrame:
    """The rows of one set, item and region for ``years``: a row without a year as it is, dated ones one a year.

    Between two dated rows values are linear in the year and ``locator`` says so; outside them the row without a year
    holds, else the nearest dated one (W503).
    """
    dated = rows[rows["year"].notna()].sort_values("year")
    undated = rows[rows["year"].isna()]
    if dated.empty:
        return undated
    known = [int(year) for year in dated["year"]]
    pieces: list[dict[Any, Any]] = []
    held: list[int] = []
    for year in years:
        before = dated[dated["year"] <= year].tail(1)
        after = dated[dated["year"] >= year].head(1)
        if len(before) and len(after):
            pieces.append(_between(before.iloc[0].to_dict(), after.iloc[0].to_dict(), year))
        elif len(undated):
            pieces.append({**undated.iloc[0].to_dict(), "year": year})
        else:
            row = (before if len(before) else after).iloc[0].to_dict()
            pieces.append({**row, "year": year, "locator": f"{row['locator']}; value of {row['year']} held"})
            held.append(year)
    if held:
        first = rows.iloc[0]
        ends = [end for end, beyond in ((known[0], min(held) < known[0]), (known[-1], max(held) > known[-1])) if beyond]
        details = {"quantity": first["quantity"], "item": first["item"], "sets": first["set"]}
        problems.add("W503", place_of(quantities()[first["quantity"]].family), years=held, held=ends, **details)
    return frame_like(rows, pieces)


def _between(before: dict[Any, Any], after: dict[Any, Any], year: int) -> dict[Any, Any]:
    first, last = int(before["year"]), int(after["year"])
    if first == last:
        return before
    share = (year - first) / (last - first)
    sources = dict.fromkeys([before["source"], after["source"]])
    return {
        **before,
        "year": year,
        **{name: before[name] * (1 - share) + after[name] * share for name in ("value", *_BOUNDS)},
        "source": "; ".join(sources),
        "locator": f"{before['locator']}; interpolated between {first} and {last}",
        "status": weakest("D", before["status"], after["status"]),
    }


def _with_oxygen_per_carbon(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with each oxidative ratio (mol/mol) as oxygen per carbon (t O2 / t C) too: × 32/12."""
    ratios = frame[frame["quantity"] == "oxidative_ratio"]
    if ratios.empty:
        return frame
    given = set(frame.loc[frame["quantity"] == "oxygen_per_carbon", "item"])
    derived = ratios[~ratios["item"].isin(given)].assign(
        quantity="oxygen_per_carbon",
        unit="t O2 / t C",
        locator=lambda rows: rows["locator"] + "; × 32/12",
        status=lambda rows: [weakest("D", status) for status in rows["status"]],
        **{name: ratios[name] * OXYGEN_PER_CARBON for name in ("value", *_BOUNDS)},
    )
    return pd.concat([frame, derived], ignore_index=True)


def _preferences(
    choice: Any, family: str, items: Collection[str], problems: Problems
) -> dict[str, tuple[str | Path, ...]]:
    """``choice`` in its longest form: item or ``default`` → names in order of preference."""
    if choice is None:
        return {}
    entries = dict(choice) if isinstance(choice, Mapping) else {"default": choice}
    result: dict[str, tuple[str | Path, ...]] = {}
    for item, entry in entries.items():
        names = (entry,) if isinstance(entry, (str, Path)) else entry
        if not isinstance(names, (list, tuple)) or not names or not all(isinstance(n, (str, Path)) for n in names):
            problems.add("E521", place_of(family), found=repr(entry))
        elif item != "default" and item not in items:
            known = {"expected": ", ".join(items) or "–", "nearest": nearest(item, items)}
            problems.add("E522", place_of(family), found=item, **known)
        else:
            result[item] = tuple(names)
    if not entries or ("default" not in entries and not set(items) <= set(entries)):
        problems.add("E521", place_of(family), found=repr(dict(entries)))
    return result


def frame_like(rows: pd.DataFrame, records: list[dict[Any, Any]]) -> pd.DataFrame:
    """``records`` as a frame with the columns and types of ``rows``."""
    types: Any = rows.dtypes.to_dict()
    return pd.DataFrame(records, columns=rows.columns).astype(types)


def _nothing() -> pd.DataFrame:
    numbers: Any = {"value": float, "low": float, "high": float, "year": "Int64"}
    return pd.DataFrame(columns=["set", *COLUMNS], dtype=object).astype(numbers)
