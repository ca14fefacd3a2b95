"""The names under which a variable or one of its items may stand in a table, and what they mean."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources

from cobalance.inputs.words import folded, heading_parts, readings
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Place, Problems, nearest

ITEM_DIMENSION: dict[str, str | None] = {
    "land_area": "land_class",
    "fuel_use": "fuel",
    "cement_output": None,
    "population": None,
    "carbon_emission": "source",
    "oxygen_consumption": "source",
}
"""The variables that a study reads, each with the dimension of its items."""

OPEN_VARIABLES = ("carbon_emission", "oxygen_consumption")
"""Variables whose items (sources) a user names freely, in an inventory of one's own."""


@dataclass(frozen=True)
class Quantity:
    """A variable and, where it has any, one of its items: ``fuel_use`` ``coal``; ``population`` ``""``."""

    variable: str
    item: str = ""

    def __str__(self) -> str:
        return f"{self.variable} {self.item}".strip()


@dataclass(frozen=True)
class VariableNames:
    """Names → quantities: the built-in Chinese and English names, overridden by ``own`` (from the study file).

    ``own`` maps a name as the table has it to ``"variable item"`` (``"land_area cropland"``, ``"population"``) or to a
    name that is known already (``"coal"``). An item named in full may be a new one.
    """

    own: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = Problems()
        for name, target in self.own.items():
            if stated_quantity(str(target)) is None:
                place = Place(key=f"names.{name}")
                problems.add("E326", place, found=target, nearest=self.nearest(str(target)))
        problems.raise_errors()

    def quantity(self, name: object) -> Quantity | None:
        """What ``name`` means, without its unit in brackets; None where it is unknown."""
        for text in dict.fromkeys((str(name), heading_parts(name)[0])):
            for reading in readings(text):
                if reading in self._own:
                    return self._own[reading]
        for text in dict.fromkeys((str(name), heading_parts(name)[0])):
            for reading in readings(text):
                if reading in _builtin():
                    return _builtin()[reading]
            full = stated_quantity(text) if re.search(r"[\s/:.]", text) else None
            if full is not None and (full.variable in OPEN_VARIABLES or full.item in items(full.variable)):
                return full
        return None

    def item(self, variable: str, name: object) -> str | None:
        """The item of ``variable`` that ``name`` means; any name is one where the variable's items are the user's."""
        if ITEM_DIMENSION[variable] is None:
            return None
        found = self.quantity(name)
        if found is not None and (found.variable == variable or variable in OPEN_VARIABLES):
            return found.item or {"cement_output": "cement", "population": "respiration"}.get(found.variable)
        return re.sub(r"\W+", "_", str(name).strip().casefold()) if variable in OPEN_VARIABLES else None

    @functools.cached_property
    def _own(self) -> dict[str, Quantity]:
        targets = {folded(name): stated_quantity(str(target)) for name, target in self.own.items()}
        return {name: target for name, target in targets.items() if target is not None}

    def nearest(self, name: str) -> str:
        """The known name closest to ``name``, or the quantities there are where none is close."""
        known = self.known()
        found = nearest(name, known)
        if found in known:
            return found
        own = [item for variable in ("land_area", "fuel_use") for item in items(variable)]
        return ", ".join([*own, "cement_output", "population"])

    def known(self) -> list[str]:
        """Every name that is understood, for the nearest one in an error."""
        return sorted({*self.own, *_printed_names(), *ITEM_DIMENSION})


def items(variable: str) -> tuple[str, ...]:
    """The built-in items of a variable, in the order of the vocabulary; those of the fuels, cement and respiration
    for an inventory."""
    if variable in OPEN_VARIABLES:
        return (*items("fuel_use"), "cement", "respiration")
    return tuple(row["item"] for row in _rows() if row["variable"] == variable and row["item"])


def ordered_items(variable: str, found: Iterable[str]) -> list[str]:
    """Items in the vocabulary's order, own ones after them in order of appearance."""
    known = items(variable)
    distinct = list(dict.fromkeys(found))
    return [item for item in known if item in distinct] + [item for item in distinct if item not in known]


def stated_quantity(text: str) -> Quantity | None:
    """``"land_area cropland"``, ``"fuel_use: coal"``, ``"population"`` or a known name as a quantity."""
    parts = [part for part in re.split(r"[\s/:.]+", text.strip()) if part]
    if len(parts) == 2 and ITEM_DIMENSION.get(parts[0]) is not None:
        return Quantity(*parts)
    return _builtin().get(folded(text))


@functools.cache
def _rows() -> list[dict[str, str]]:
    source = resources.files("cobalance.inputs") / "variable_names.csv"
    with source.open("r", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _printed_names() -> set[str]:
    return {name for row in _rows() for name in row["names"].split("|")}


@functools.cache
def _builtin() -> dict[str, Quantity]:
    """Folded name → quantity; a name that two rows claim is a defect of the table."""
    names: dict[str, Quantity] = {}
    for row in _rows():
        entry = schema.variable(row["variable"])
        own = (row["item"],) if row["item"] else (entry.zh, entry.en)
        for name in dict.fromkeys(map(folded, (*own, *row["names"].split("|")))):
            quantity = Quantity(row["variable"], row["item"])
            if names.setdefault(name, quantity) != quantity:
                raise ValueError(f"variable_names.csv: {name} means both {names[name]} and {quantity}")
    return names
