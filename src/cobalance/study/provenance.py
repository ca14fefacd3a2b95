"""Where a run came from: the resolved study, the bytes of its inputs, the rows of its coefficients, the versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from cobalance import __version__
from cobalance.study.prepare import Prepared
from cobalance.study.spec import named_files

PACKAGES = ("geopandas", "numpy", "pandas", "pint", "pyproj", "rasterio", "scipy", "shapely", "xarray")


def provenance(prepared: Prepared) -> dict[str, Any]:
    """What a reader needs to trace and repeat the run. It holds no clock, so the same run gives the same bytes."""
    study = prepared.study
    files = {str(file): sha256(prepared.folder / file) for _, file in named_files(study)}
    return {
        "cobalance": __version__,
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "study_file": {"name": prepared.source.file.name, "sha256": sha256(prepared.source.file)},
        "inputs": files,
        "study": study.model_dump(mode="json"),
        "seed": study.seed,
        "basis": prepared.coefficients.basis,
        "coefficient_sets": sorted(set(prepared.coefficients.table["set"])),
        "coefficients": _rows(prepared),
        "weak_statuses": _weak(prepared),
    }


def sha256(file: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; of a Shapefile, that of the part named."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _rows(prepared: Prepared) -> list[dict[str, Any]]:
    """The rows of coefficients that were used, missing cells as null."""
    table = prepared.coefficients.table.astype(object)
    return table.where(table.notna(), None).to_dict("records")  # type: ignore[return-value]


def _weak(prepared: Prepared) -> dict[str, list[str]]:
    """Items that stand on a recalled [R] or fitted [F] number, by status."""
    table = prepared.coefficients.table
    weak = table[table["status"].isin(["R", "F"])]
    return {
        str(status): sorted({f"{row.quantity} {row.item}".strip() for row in rows.itertuples()})
        for status, rows in weak.groupby("status")
    }
