"""The embedded examples, in an installed package or beside the sources."""

from __future__ import annotations

from pathlib import Path

import cobalance
from cobalance.vocabulary.errors import nearest, refuse


def example(name: str) -> Path:
    """The study file of example ``name``; E101 where it is not there."""
    package = Path(cobalance.__file__).parent
    folders = [package / "examples", package.parents[1] / "examples"]
    for folder in folders:
        if (folder / name / "study.yaml").is_file():
            return folder / name / "study.yaml"
    known = [item.parent.name for folder in folders for item in folder.glob("*/study.yaml")]
    raise refuse("E101", found=f"{name} ({nearest(name, known)})")
