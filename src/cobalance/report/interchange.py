"""The results in the formats of other programs: GeoParquet, NetCDF-CF, IAMC, SEEA EA, LaTeX, Word, CSV for Excel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from cobalance.report.export import attributes
from cobalance.report.extent import extent_account
from cobalance.report.facts import Facts
from cobalance.report.iamc import iamc_table
from cobalance.report.manuscript import write_docx, write_latex
from cobalance.report.netcdf import write_netcdf
from cobalance.study.results import Results, written
from cobalance.vocabulary.errors import Language, Place, nearest, refuse


def write_interchange(results: Results, directory: Path, forms: Sequence[str] | None = None) -> list[Path]:
    """Write the results into ``directory`` in each of ``forms``, keys of :data:`FORMS`; None for all of them.

    Returns the files. A form that the study has nothing for (shapes, land of several surveys) leaves none. The same
    results give the same bytes. Raises E920 for an unknown form, E929 where an optional package lacks, E903.
    """
    chosen = list(FORMS) if forms is None else list(forms)
    for form in chosen:
        if form not in FORMS:
            raise refuse("E920", Place(), found=form, expected=list(FORMS), nearest=nearest(form, FORMS))
    directory.mkdir(parents=True, exist_ok=True)
    facts = Facts(results)
    return [file for form in chosen for file in FORMS[form](facts, directory)]


def write_geoparquet(facts: Facts, file: Path) -> Path:
    """Regions with their results as GeoParquet 1.1, a bounding box beside each shape. Raises E903."""
    regions = facts.results.regions.reset_index(names="region")
    wide = regions.merge(attributes(facts), left_on="region", right_index=True, how="left", validate="one_to_one")
    with written(file) as temporary:
        gpd.GeoDataFrame(wide).to_parquet(
            temporary, index=False, schema_version="1.1.0", write_covering_bbox=True, compression="zstd"
        )
    return file


def write_csv(frame: pd.DataFrame, file: Path, *, bom: bool = False) -> Path:
    """A tidy CSV in UTF-8; ``bom`` for Excel, which else reads Chinese wrongly. Raises E903."""
    with written(file) as temporary:
        frame.to_csv(temporary, index=False, encoding="utf-8-sig" if bom else "utf-8", lineterminator="\n")
    return file


def _geoparquet(facts: Facts, directory: Path) -> list[Path]:
    return [write_geoparquet(facts, directory / "regions.parquet")] if facts.has_shapes else []


def _netcdf(facts: Facts, directory: Path) -> list[Path]:
    return [write_netcdf(facts, directory / "results-cf.nc")]


def _iamc(facts: Facts, directory: Path) -> list[Path]:
    return [write_csv(iamc_table(facts), directory / "iamc.csv")]


def _seea(facts: Facts, directory: Path) -> list[Path]:
    account = extent_account(facts)
    return [write_csv(account, directory / "extent_account.csv")] if len(account) else []


def _latex(facts: Facts, directory: Path) -> list[Path]:
    return [write_latex(facts, directory / f"tables-{language}.tex", language) for language in _languages(facts)]


def _docx(facts: Facts, directory: Path) -> list[Path]:
    return [write_docx(facts, directory / f"tables-{language}.docx", language) for language in _languages(facts)]


def _excel_csv(facts: Facts, directory: Path) -> list[Path]:
    """Every table again with a byte-order mark."""
    folder = directory / "csv-for-excel"
    folder.mkdir(exist_ok=True)
    return [write_csv(frame, folder / f"{name}.csv", bom=True) for name, frame in facts.results.tables.items()]


def _languages(facts: Facts) -> list[Language]:
    return list(facts.study.languages)


FORMS: Mapping[str, Callable[[Facts, Path], list[Path]]] = {
    "geoparquet": _geoparquet,
    "netcdf": _netcdf,
    "iamc": _iamc,
    "seea": _seea,
    "latex": _latex,
    "docx": _docx,
    "csv-excel": _excel_csv,
}
"""Form → what writes it into a folder."""

DESCRIPTIONS: Mapping[str, Mapping[Language, str]] = {
    "geoparquet": {"en": "GeoParquet 1.1 of the regions with their results", "zh": "区域及其结果的 GeoParquet 1.1"},
    "netcdf": {"en": "NetCDF by the CF conventions", "zh": "符合 CF 规范的 NetCDF"},
    "iamc": {"en": "long table of the IAMC", "zh": "IAMC 长表"},
    "seea": {"en": "extent account of the SEEA EA", "zh": "SEEA EA 生态系统范围账户"},
    "latex": {"en": "three-line tables in LaTeX", "zh": "LaTeX 三线表"},
    "docx": {"en": "three-line tables in Word", "zh": "Word 三线表"},
    "csv-excel": {"en": "CSV with a byte-order mark, for Excel", "zh": "带 BOM 的 CSV，便于 Excel 打开"},
}
