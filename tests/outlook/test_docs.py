"""The worked examples of the two documentation pages run and hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["outlook.md", "ecological_land.md"])
def test_the_examples_of_the_page_hold(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 2
    names: dict[str, object] = {}
    for block in blocks:
        assert "assert " in block
        exec(compile(block, page, "exec"), names)
