"""The study file as text: YAML 1.2 with the line and column of every key, and its problems in coded form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from cobalance.vocabulary.errors import Place, Problems, nearest, refuse

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class StudySource:
    """A parsed study file that still knows where each key stands."""

    file: Path
    content: CommentedMap

    def place(self, path: Sequence[str | int]) -> Place:
        """File, line, column and dotted key of ``path``, or of its nearest ancestor that the file holds."""
        node: Any = self.content
        line, character = 0, 0
        for step in path:
            if not _holds(node, step):
                break
            line, character = node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step)
            node = node[step]
        return Place(file=self.file.name, line=line + 1, character=character + 1, key=dotted(path))

    def missing_files(self, problems: Problems, paths: Sequence[tuple[KeyPath, Path]]) -> None:
        """Add E106 for each named file that is not there, with the nearest name beside it."""
        for path, file in paths:
            if not file.is_file():
                beside = [item.name for item in file.parent.iterdir()] if file.parent.is_dir() else []
                problems.add("E106", self.place(path), found=file, nearest=nearest(file.name, beside) or "—")


def dotted(path: Sequence[str | int]) -> str | None:
    """``("inputs", 2, "unit")`` as ``inputs[3].unit``; entries of lists count from 1, as people do."""
    text = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".") or None


def read_source(file: Path) -> StudySource:
    """Parse ``file``. Raises E101 (no such file), E102 (not YAML), E107 (a key twice), E108 (not a mapping)."""
    if not file.is_file():
        raise refuse("E101", Place(file=str(file)), found=file)
    yaml = YAML(typ="rt")
    try:
        content = yaml.load(file.read_text(encoding="utf-8-sig"))
    except DuplicateKeyError as error:
        raise refuse("E107", _marked_place(file, error), found=str(error.problem)) from error
    except (YAMLError, UnicodeDecodeError) as error:
        text = getattr(error, "problem", None) or str(error)
        raise refuse("E102", _marked_place(file, error), found=text) from error
    if not isinstance(content, CommentedMap):
        raise refuse("E108", Place(file=file.name), found=type(content).__name__)
    return StudySource(file, content)


def add_validation_problems(
    problems: Problems, source: StudySource, error: pydantic.ValidationError, model: type[pydantic.BaseModel]
) -> None:
    """Every finding of pydantic as a coded problem: E103 unknown key, E105 missing key, E104 anything else."""
    for detail in error.errors():
        path = _yaml_path(source, detail["loc"])
        place = source.place(path)
        if detail["type"] == "extra_forbidden":
            known = _fields_at(model, path[:-1])
            problems.add("E103", place, found=path[-1], nearest=nearest(str(path[-1]), known))
        elif detail["type"] == "missing":
            english, _, chinese = _description(model, path).partition(" ｜ ")
            problems.add("E105", place, found=path[-1], description=english, description_zh=chinese)
        else:
            english, chinese = _expectation(detail)
            problems.add("E104", place, found=_short(detail.get("input")), expected=english, expected_zh=chinese)


def _marked_place(file: Path, error: Exception) -> Place:
    mark = getattr(error, "problem_mark", None) if isinstance(error, MarkedYAMLError) else None
    if mark is None:
        return Place(file=file.name)
    return Place(file=file.name, line=mark.line + 1, character=mark.column + 1)


def _yaml_path(source: StudySource, location: tuple[str | int, ...]) -> KeyPath:
    """Pydantic's location without the tags of unions and validators, which no one wrote."""
    path: list[str | int] = []
    node: Any = source.content
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if _holds(node, step):
            node = node[step]
        elif not (last and isinstance(node, CommentedMap) and isinstance(step, str)):
            continue
        path.append(step)
    return tuple(path)


def _holds(node: Any, step: str | int) -> bool:
    if isinstance(node, CommentedSeq):
        return isinstance(step, int) and step < len(node)
    return isinstance(node, CommentedMap) and step in node


def _fields_at(model: type[pydantic.BaseModel], path: KeyPath) -> list[str]:
    """The keys that may stand at ``path``."""
    found = _model_at(model, path)
    return list(found.model_fields) if found else []


def _description(model: type[pydantic.BaseModel], path: KeyPath) -> str:
    found = _model_at(model, path[:-1])
    field = found.model_fields.get(str(path[-1])) if found and path else None
    return (field.description or "") if field else ""


def _model_at(model: type[pydantic.BaseModel], path: KeyPath) -> type[pydantic.BaseModel] | None:
    current: type[pydantic.BaseModel] | None = model
    for step in path:
        if isinstance(step, int) or current is None:
            continue
        field = current.model_fields.get(step)
        if field is None:
            continue  # the key of a mapping such as a group's: its value's model is the one already found
        current = _model_in(field.annotation)
    return current


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The study model inside an annotation such as ``list[InputFile] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    inner = [_model_in(argument) for argument in getattr(annotation, "__args__", ())]
    return next((found for found in inner if found is not None), None)


_EXPECTED_ZH = {
    "int_parsing": "整数",
    "int_type": "整数",
    "int_from_float": "整数",
    "float_parsing": "数值",
    "float_type": "数值",
    "string_type": "文字",
    "bool_parsing": "true 或 false",
    "bool_type": "true 或 false",
    "list_type": "列表",
    "tuple_type": "列表",
    "dict_type": "键值映射",
    "model_type": "键值映射",
    "path_type": "文件路径",
    "literal_error": "{expected} 之一",
    "greater_than": "大于 {gt} 的数",
    "greater_than_equal": "不小于 {ge} 的数",
    "less_than": "小于 {lt} 的数",
    "less_than_equal": "不大于 {le} 的数",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
}


def _expectation(detail: ErrorDetails) -> tuple[str, str]:
    """What pydantic wanted, in English and in Chinese; a message of our own validators carries both, split by ｜."""
    english, _, own_chinese = (
        detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ").partition(" ｜ ")
    )
    chinese = _EXPECTED_ZH.get(detail["type"], own_chinese or english).format(**detail.get("ctx", {}))
    return english, chinese


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
