"""The explorer: one page, offline, in which the results of a study are looked at, questioned and varied."""

from __future__ import annotations

from cobalance.explorer.page import explorer_page, write_explorer
from cobalance.explorer.payload import payload

__all__ = ["explorer_page", "payload", "write_explorer"]
