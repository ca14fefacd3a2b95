"""Report and exports of a study's results: ``report.html``, figures, ``tables.xlsx``, ``regions.gpkg``."""

from cobalance.report.write import write_report

__all__ = ["write_report"]
