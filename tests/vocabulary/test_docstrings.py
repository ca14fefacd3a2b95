"""What a docstring says of units is what the decorator holds."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re

import pytest

import cobalance.accounts


def _declared() -> list[object]:
    found = []
    for module in pkgutil.iter_modules(cobalance.accounts.__path__, "cobalance.accounts."):
        for _, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if hasattr(function, "units") and function.__module__ == module.name:
                found.append(function)
    return found


@pytest.mark.parametrize("function", _declared(), ids=lambda function: function.__name__)
def test_each_argument_line_gives_dims_and_the_declared_unit(function: object) -> None:
    text = inspect.getdoc(function) or ""
    declared = dict(function.units)  # type: ignore[attr-defined]
    returns = declared.pop("return")
    names = {**declared, **({"returns": returns} if isinstance(returns, str) else {})}
    for name, unit in names.items():
        line = re.search(rf"^\s*{name}\s+\((.*?)\)\s+(.*)$", text, re.MULTILINE)
        assert line, f"{function.__name__}: no line for {name}"  # type: ignore[attr-defined]
        assert line.group(2).startswith(unit), f"{name}: '{line.group(2)}' does not begin with '{unit}'"
    assert "Source" in text
    assert "Raises" in text
