"""Units as yearbooks, papers and planners write them, and the border where they are checked.

``factor("万吨", "t")`` is 1e4; ``factor("t CO2", "t C")`` is 12/44; ``factor("t C", "t O2")`` is refused. Inside a
function decorated with :func:`quantities` arrays are bare floats in the units that its decorator declares.
"""

from __future__ import annotations

import functools
import inspect
import re
import unicodedata
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, TypeVar, cast

import numpy as np
import pint
import xarray as xr

from cobalance.vocabulary import labels
from cobalance.vocabulary.errors import CobalanceError, refuse

CARBON_PER_CO2 = 12 / 44
"""Mass of carbon in a mass of carbon dioxide, by whole-number molar masses as the field's literature has it."""

_CHINESE = {
    "吨标准煤": "tce", "吨标煤": "tce", "千克标准煤": "kgce", "公斤标准煤": "kgce", "吨油当量": "toe",
    "二氧化碳": "CO2", "氧气": "O2", "碳": "C", "氧": "O2",
    "百万": "1e6", "千万": "1e7", "万": "1e4", "亿": "1e8", "千": "1e3", "百": "1e2",
    "平方公里": "km2", "平方千米": "km2", "平方米": "m2", "立方米": "m3", "公顷": "ha", "亩": "mu",
    "公斤": "kg", "千克": "kg", "克": "g", "吨": "t", "人口": "person", "人": "person", "口": "person",
    "千瓦时": "kWh", "度": "kWh", "千焦": "kJ", "兆焦": "MJ", "吉焦": "GJ", "太焦": "TJ", "焦": "J",
    "头": "head", "只": "head", "元": "yuan", "年": "yr", "天": "day", "日": "day", "每": "/", "升": "L",
}  # fmt: skip
_WORDS = {
    "thousand": "1e3", "million": "1e6", "billion": "1e9", "trillion": "1e12",
    "kacre": "1e3 acre", "kacres": "1e3 acre", "quad": "1e15 Btu", "quads": "1e15 Btu", "per": "/",
    "-": "1", "dimensionless": "1",
}  # fmt: skip
_CHINESE_TOKEN = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))
_SUPERSCRIPT = re.compile("[⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPT_DIGITS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_TOKEN = re.compile(
    r"\s*(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\s*(?P<word>[A-Za-zµμ_]+[0-9]*|%)|\s*(?P<sign>\*\*|\^|[*/()·.×-])"
)
_POWER = r"(?:\s*(?:\^|\*\*)\s*-?\d+)?"
_SCALED_DIVISOR = re.compile(rf"\s*\d+(?:\.\d+)?(?:[eE][+-]?\d+)?{_POWER}\s*[A-Za-zµμ_]+\d*{_POWER}")
_SUBSTANCE = ("CO2", "O2")


@functools.cache
def registry() -> pint.UnitRegistry[Any]:
    """The pint registry of ``units.txt``, in which C, CO2 and O2 are dimensions."""
    ureg: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    definitions = (resources.files("cobalance.vocabulary") / "units.txt").read_text(encoding="utf-8")
    ureg.load_definitions(definitions.splitlines())
    return ureg


@functools.lru_cache(maxsize=4096)
def parse(unit: str) -> pint.Quantity[Any]:
    """``unit`` as a pint quantity (its scale included, so ``10^4 t`` is 10⁴ tonnes).

    Raises E206 where the text is not a unit of ``units.txt``.
    """
    try:
        expression = _pint_expression(unit)
        quantity: pint.Quantity[Any] = registry().Quantity(1.0, "") * registry().parse_expression(expression)
    except (
        pint.PintError,
        ValueError,
        TypeError,
        SyntaxError,
        AttributeError,
        ArithmeticError,
        AssertionError,
    ) as error:
        raise refuse("E206", found=unit) from error
    return quantity


@functools.lru_cache(maxsize=4096)
def factor(source: str, target: str) -> float:
    """What a number in ``source`` is multiplied by to stand in ``target``; carbon dioxide converts to carbon.

    Raises E202 where the dimensions differ, E206 where a text is not a unit.
    """
    quantity, wanted = parse(source), parse(target)
    dioxide = _exponent(quantity, "[carbon_dioxide]") - _exponent(wanted, "[carbon_dioxide]")
    if dioxide and _exponent(quantity, "[carbon]") + dioxide == _exponent(wanted, "[carbon]"):
        ureg = registry()
        quantity = quantity * (CARBON_PER_CO2 * ureg.carbon / ureg.carbon_dioxide) ** dioxide
    if quantity.dimensionality != wanted.dimensionality:
        hint, hint_zh = _hint(source, target)
        raise refuse(
            "E202",
            argument="the value",
            found=source,
            found_dimension=dimension(source),
            expected=target,
            expected_dimension=dimension(target),
            hint=hint,
            hint_zh=hint_zh,
        )
    ratio = float((quantity / wanted).to_base_units().magnitude)
    # 1e4 t to t is 10000 exactly, not 10000.000000000002: powers of ten are what yearbooks' units differ by.
    power = 10.0 ** round(np.log10(ratio)) if ratio > 0 else ratio
    return power if abs(ratio / power - 1) < 1e-13 else ratio


def convertible(source: str, target: str) -> bool:
    """Whether :func:`factor` would answer."""
    try:
        factor(source, target)
    except CobalanceError:
        return False
    return True


def convert(value: Any, source: str, target: str) -> Any:
    """``value`` (number or array, unchanged) from ``source`` to ``target``. Raises as :func:`factor`."""
    scale = factor(source, target)
    return value if scale == 1.0 else value * scale


def dimension(unit: str) -> str:
    """The dimension in plain words, as ``mass·carbon / time``."""
    quantity = parse(unit)
    found = {name: _exponent(quantity, name) for name in sorted(quantity.dimensionality)}
    above = "·".join(_power(name, power) for name, power in found.items() if power > 0) or "1"
    below = "".join(f" / {_power(name, -power)}" for name, power in found.items() if power < 0)
    return above + below


Function = TypeVar("Function", bound=Callable[..., Any])


def quantities(*, returns: str | Mapping[str, str], **units: str) -> Callable[[Function], Function]:
    """Declare the units of a function's labelled arguments and of what it returns.

    At each call the arrays are converted (km2 → ha, t CO2 → t C) or refused with E201, E202, E206 or E208, and labels
    of shared dimensions are held to agree exactly (E203, E204). A unit such as ``t C / {fuel_unit}`` differs by label:
    the coordinate ``fuel_unit`` of the first array that has it decides, and the others are converted label by label.
    Plain numbers stand for arguments of unit ``1`` only. ``returns`` maps names to units for a Dataset.
    """

    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        unknown = set(units) - set(signature.parameters)
        if unknown:
            raise TypeError(f"{function.__name__} has no arguments {sorted(unknown)}")

        @functools.wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            own_units: dict[str, xr.DataArray] = {}
            for name, unit in units.items():
                value = bound.arguments[name]
                if value is not None:
                    place = f"{function.__name__}({name})"
                    bound.arguments[name] = _in_unit(value, unit, place, own_units)
            arrays = {name: value for name, value in bound.arguments.items() if isinstance(value, xr.DataArray)}
            bound.arguments.update(labels.agreeing(arrays, function.__name__))
            with xr.set_options(arithmetic_join="exact", keep_attrs=False):  # type: ignore[no-untyped-call]
                result = function(*bound.args, **bound.kwargs)
            return _with_units(result, returns, function.__name__)

        checked.units = {**units, "return": returns}  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def _in_unit(value: Any, unit: str, place: str, own_units: dict[str, xr.DataArray]) -> Any:
    """``value`` in ``unit``; ``own_units`` remembers the unit coordinate that the first array of a template brought."""
    if not isinstance(value, xr.DataArray):
        if unit == "1" and isinstance(value, (int, float, np.number)):
            return value
        raise refuse("E208", argument=place, found=type(value).__name__, expected=f"… in {unit}")
    found = value.attrs.get("units")
    if found is None:
        raise refuse("E201", argument=place, expected=unit)
    templates = re.findall(r"\{(\w+)\}", unit)
    if not templates:
        return _scaled(value, _factor_at(found, unit, place))
    (template,) = templates
    if template not in value.coords and template in found:
        raise refuse("E201", argument=f"{place}.{template}", expected=unit)
    own = value.coords.get(template)
    wanted = own_units.setdefault(template, own) if own is not None else own_units.get(template)
    if wanted is None:
        raise refuse("E201", argument=f"{place}.{template}", expected=unit)
    (dim,) = wanted.dims
    targets = {str(label): str(text) for label, text in zip(wanted[dim].values, wanted.values, strict=True)}
    texts = own if own is not None else value[dim].astype(object)
    scale = [
        # a label that the other side lacks is named by the label check that follows, not here
        _factor_at(found.format(**{template: text}), unit.format(**{template: targets.get(str(label), text)}), place)
        for label, text in zip(value[dim].values, texts.values, strict=True)
    ]
    result = _scaled(value, xr.DataArray(scale, dims=[dim], coords={dim: value[dim].values}))
    if own is not None:
        units = [targets.get(str(label), text) for label, text in zip(value[dim].values, own.values, strict=True)]
        result = result.assign_coords({template: (dim, np.asarray(units, dtype=object))})
    return result


def _scaled(value: xr.DataArray, scale: Any) -> xr.DataArray:
    return value if isinstance(scale, float) and scale == 1.0 else value * scale


def _factor_at(source: str, target: str, place: str) -> float:
    """:func:`factor`, with the argument named in the refusal."""
    try:
        return factor(source, target)
    except CobalanceError as error:
        (problem,) = error.problems
        if problem.code != "E202":
            raise
        raise refuse("E202", **{**problem.details, "argument": place}) from error


def _with_units(result: Any, returns: str | Mapping[str, str], name: str) -> Any:
    if isinstance(returns, str):
        return result.rename(name).assign_attrs(units=returns)
    return result.assign({key: result[key].assign_attrs(units=unit) for key, unit in returns.items()})


def _pint_expression(unit: str) -> str:
    """``unit`` in pint's own grammar: every product and power written out."""
    text = _SUPERSCRIPT.sub(lambda found: "^" + found.group().translate(_SUPERSCRIPT_DIGITS), unit.strip())
    text = unicodedata.normalize("NFKC", text)
    text = _CHINESE_TOKEN.sub(lambda found: f" {_CHINESE[found.group()]} ", text)
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"[A-Za-z]+|^-$", lambda found: _WORDS.get(found.group(), found.group()), text)
    text = text.strip() or "1"
    parts: list[str] = []
    position = 0
    divisor_ends = None  # in "t C / 10^4 m3" the number belongs to the divisor, so the two are bracketed up to here
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(text[position:])
        if word := match.group("word"):
            parts += [*_juxtaposed(parts), _powered(word)]
        elif number := match.group("number"):
            if parts and parts[-1] == "/" and (divisor := _SCALED_DIVISOR.match(text, match.start())):
                parts.append("(")
                divisor_ends = divisor.end()
            if not _continues_exponent(parts):
                parts += _juxtaposed(parts)
            parts.append(number)
        else:
            sign = match.group("sign")
            parts += _juxtaposed(parts) if sign == "(" else []
            parts.append({"^": "**", "·": "*", "×": "*", ".": "*"}.get(sign, sign))
        position = match.end()
        if position == divisor_ends:
            parts.append(")")
    return _negative_powers("".join(parts))


def _juxtaposed(parts: list[str]) -> list[str]:
    """A product sign where two factors stand side by side."""
    return ["*"] if parts and parts[-1] not in ("*", "/", "(", "**", "-") else []


def _continues_exponent(parts: list[str]) -> bool:
    """Whether a number to come is an exponent: after ``**``, or after the minus of ``ha-1``, which becomes one."""
    if parts and parts[-1] == "-":
        if len(parts) > 1 and parts[-2] != "**":
            parts[-1:] = ["**", "-"]
        return True
    return bool(parts) and parts[-1] == "**"


def _negative_powers(expression: str) -> str:
    return re.sub(r"\*\*-(\d+)", r"**(-\1)", expression)


def _powered(word: str) -> str:
    """``km2`` is a square; ``CO2`` and ``O2`` are names."""
    if word == "%":
        return "percent"
    letters = word.rstrip("0123456789")
    if word in _SUBSTANCE or letters == word:
        return word
    return f"{letters}**{word[len(letters) :]}"


def _exponent(quantity: pint.Quantity[Any], name: str) -> float:
    return float(cast(float, quantity.dimensionality.get(name, 0)))


def _power(name: str, power: float) -> str:
    name = name.strip("[]")
    return name if power == 1 else f"{name}^{power:g}"


def _hint(source: str, target: str) -> tuple[str, str]:
    """What the two dimensions differ by, in the user's words."""
    difference = (parse(source) / parse(target)).dimensionality
    if "[oxygen]" in difference:
        return (
            "Oxygen and carbon are kept apart; use the oxidative ratio or the photosynthetic quotient.",
            "氧与碳分别核算，请使用氧化比或光合商换算。",
        )
    if set(difference) == {"[time]"}:
        return "State whether the figure is per year.", "请说明该数值是否为每年的量。"
    if "[energy]" in difference:
        return (
            "Heat and mass need a net calorific value; choose a coefficient set in the same unit.",
            "热量与质量之间需要低位发热量，请选用相同单位的系数集。",
        )
    return "Correct the unit.", "请更正单位。"
