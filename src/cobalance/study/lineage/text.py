"""The tree as text: each number with its formula, its operands below it, down to rows and cells."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cobalance.coefficients.sets import STATUSES
from cobalance.study.lineage.node import Cell, CoefficientRow, Node, Setting
from cobalance.study.lineage.tree import Tree
from cobalance.vocabulary import schema
from cobalance.vocabulary.errors import Language

MOST_PARTS = 12
"""Parts of a sum that are printed; of more, the largest are, and the rest in one line."""

SHORT_SERIES = 3

_WORDS: dict[str, dict[Language, str]] = {
    "missing": {"en": "missing", "zh": "缺失"},
    "above": {"en": "see above", "zh": "见上文"},
    "rest": {"en": "… {count} more, smaller ones", "zh": "……其余 {count} 项较小，未列出"},
    "series": {"en": "{name}, {count} values: see above", "zh": "{name}，{count} 个数值：见上文"},
    "cell": {"en": "{file}{sheet}, row {row}, column {column}", "zh": "{file}{sheet}，第 {row} 行，{column} 列"},
    "sheet": {"en": ", sheet {}", "zh": "，工作表 {}"},
    "printed": {"en": "printed {printed} {unit}", "zh": "原文 {printed} {unit}"},
    "counted": {"en": "counted in {file}: {printed} {unit}", "zh": "由 {file} 统计：{printed} {unit}"},
    "set": {"en": "set {set}, status [{status}] {meaning}", "zh": "系数集 {set}，状态 [{status}] {meaning}"},
    "bounds": {"en": ", range {low} to {high}", "zh": "，范围 {low} 至 {high}"},
    "definition": {"en": "{}: {}", "zh": "{}：{}"},
    "place": {"en": "{}: {}", "zh": "{}：{}"},
    "setting": {"en": "study file: {}", "zh": "研究文件：{}"},
    "source": {"en": "source: {}", "zh": "来源：{}"},
    "note": {"en": "note: {}", "zh": "说明：{}"},
    "deeper": {"en": "… deeper levels are not shown", "zh": "……更深层次未显示"},
}
_STATUS: dict[str, dict[Language, str]] = {
    "P": {"en": "printed in the paper", "zh": "论文所载"},
    "S": {"en": "read in its source", "zh": "读自来源"},
    "D": {"en": "derived by arithmetic", "zh": "由来源数值推算"},
    "F": {"en": "fitted", "zh": "拟合"},
    "R": {"en": "recalled, to be verified", "zh": "凭文献记忆，待核实"},
    "U": {"en": "the user's own", "zh": "用户自定"},
}
_FLAGS: dict[str, dict[Language, str]] = {
    "observed": {"en": "observed", "zh": "观测"},
    "estimated": {"en": "estimated", "zh": "估计"},
    "interpolated": {"en": "interpolated", "zh": "插值"},
    "held": {"en": "held", "zh": "沿用"},
    "missing": {"en": "missing", "zh": "缺失"},
}
_BASES: dict[str, dict[Language, str]] = {
    "gross": {"en": ", gross (NPP)", "zh": "，总量（NPP）口径"},
    "net": {"en": ", net", "zh": "，净量口径"},
    "gross heat": {"en": ", per gross heat", "zh": "，高位热值口径"},
    "net heat": {"en": ", per net heat", "zh": "，低位热值口径"},
    "process": {"en": ", process carbon", "zh": "，工艺碳排放"},
}
assert set(STATUSES) <= set(_STATUS)


def number(value: float | str, language: Language = "en") -> str:
    """A number with ten significant digits and thousands marked; a word as it is."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return _WORDS["missing"][language]
    text = f"{value:,.10g}" if abs(value) < 1e16 and (value == 0 or abs(value) >= 1e-4) else f"{value:.10g}"
    return text.replace("-", "−")


class Printer:
    """One tree printed once: a node that stands twice is printed in full the first time only."""

    def __init__(self, tree: Tree, language: Language, depth: int | None = None, most: int | None = MOST_PARTS) -> None:
        self.tree, self.language, self.depth, self.most = tree, language, depth, most
        self._printed: set[int] = set()
        self._named: set[str] = set()

    def lines(self, node: Node) -> list[str]:
        return list(self._node(node, "", "", "", 0))

    def _say(self, key: str, *values: object, **named: object) -> str:
        return _WORDS[key][self.language].format(*values, **named)

    def _node(self, node: Node, symbol: str, mark: str, margin: str, level: int) -> Iterator[str]:
        head = f"{mark}{self._title(node, symbol)} = {self._amount(node)}"
        about = list(self._about(node))
        if id(node) in self._printed and (about or node.operands):
            yield f"{head}  ({self._say('above')})"
            return
        self._printed.add(id(node))
        yield head
        for line in about:
            yield f"{margin}{'│ ' if node.operands else '  '}{line}"
        if self.depth is not None and level >= self.depth and node.operands:
            yield f"{margin}└─ {self._say('deeper')}"
            return
        shown, rest = self._shown(node)
        for position, (name, operand) in enumerate(shown):
            last = position == len(shown) - 1 and not rest
            branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
            yield from self._node(operand, name, margin + branch, margin + below, level + 1)
        if rest:
            yield f"{margin}└─ {rest}"

    def _shown(self, node: Node) -> tuple[list[tuple[str, Node]], str]:
        """The operands to print, and a line for the others: a series printed above, the small parts of a long sum."""
        operands = list(node.operands)
        if len(operands) > SHORT_SERIES and all(id(part) in self._printed for _, part in operands):
            return [], self._say("series", name=operands[0][1].name, count=len(operands))
        if self.most is None or len(operands) <= self.most:
            return operands, ""
        size = [0.0 if isinstance(part.value, str) else abs(part.value) for _, part in operands]
        ranks = sorted(range(len(operands)), key=lambda i: (operands[i][1].missing, size[i]), reverse=True)
        chosen = set(ranks[: self.most])
        kept = [operand for position, operand in enumerate(operands) if position in chosen]
        return kept, self._say("rest", count=len(operands) - len(kept))

    def _title(self, node: Node, symbol: str) -> str:
        """``symbol: variable[labels]`` with the region's name; the symbol only where it is not the variable's name."""
        labels = ", ".join(self._label(dim, label) for dim, label in node.labels.items())
        title = f"{node.name}[{labels}]" if labels else node.name
        return title if symbol in ("", node.name, node.name.removeprefix("group_")) else f"{symbol}: {title}"

    def _label(self, dim: str, label: str) -> str:
        if dim in ("region", "neighbour") and label in self._region_names:
            return f"{label} {self._region_names[label]}"
        return label

    @property
    def _region_names(self) -> dict[str, str]:
        def names() -> dict[str, str]:
            own = map(str, self.tree.dataset[f"name_{self.language}"].values)
            return dict(zip(self.tree.labels("region"), own, strict=True))

        return self.tree.once(("printed names", self.language), names)

    def _amount(self, node: Node) -> str:
        unit = "" if node.unit in ("", "1") or isinstance(node.value, str) else f" {node.unit}"
        text = f"{number(node.value, self.language)}{'' if node.missing else unit}"
        return f"{text}: {node.reason[self.language]}" if node.reason else text

    def _about(self, node: Node) -> Iterator[str]:
        entry = schema.variables().get(node.name.removeprefix("group_"))
        if entry and node.name not in self._named:
            self._named.add(node.name)
            definition = entry.definition_zh if self.language == "zh" else entry.definition_en
            yield self._say("definition", entry.title(self.language), definition)
        if node.operands and node.formula and node.formula != "held":
            yield from node.formula.splitlines() if node.method else [f"= {node.formula}"]
        if node.remark:
            yield node.remark[self.language]
        if isinstance(node.origin, Setting):
            yield self._say("setting", node.origin.key)
        elif isinstance(node.origin, CoefficientRow):
            yield from self._row(node.origin)
        elif isinstance(node.origin, Cell):
            yield from self._cell(node.origin)

    def _row(self, row: CoefficientRow) -> Iterator[str]:
        bounds = ""
        if not math.isnan(row.low) and not math.isnan(row.high):
            bounds = self._say("bounds", low=number(row.low), high=number(row.high))
        basis = _BASES.get(row.basis, {self.language: ""})[self.language]
        meaning = _STATUS.get(row.status, {"en": "", "zh": ""})[self.language]
        yield self._say("set", set=row.set, status=row.status, meaning=meaning) + basis + bounds
        yield self._say("source", "; ".join(part for part in (row.source, row.locator) if part and part != "nan"))

    def _cell(self, cell: Cell) -> Iterator[str]:
        if cell.row == 0:
            yield self._say("counted", file=cell.file, printed=cell.printed, unit=cell.original_unit)
        else:
            sheet = self._say("sheet", cell.sheet) if cell.sheet else ""
            place = self._say("cell", file=cell.file, sheet=sheet, row=cell.row, column=cell.column)
            printed = self._say("printed", printed=cell.printed, unit=cell.original_unit).rstrip()
            yield self._say("place", place, printed)
        flag = _FLAGS.get(cell.flag, {"en": cell.flag, "zh": cell.flag})[self.language]
        yield f"[{flag}] " + self._say("source", cell.source or "–")
        if cell.note:
            yield self._say("note", cell.note)
