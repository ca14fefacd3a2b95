"""The reference pages, made from the program itself: keys of the study file, commands of the command line.

A hook of mkdocs puts them into the site at build. By hand: ``python tools/reference.py FOLDER`` writes them there.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cobalance.cli import app
from cobalance.study import spec
from cobalance.vocabulary.errors import Language

MARK = " ｜ "
"""Between the English and the Chinese half of a description."""

WORDS: dict[str, dict[Language, str]] = {
    "study": {"en": "The study file", "zh": "研究文件"},
    "lead": {
        "en": "Every key, with its type, its default and what it means; made from the program itself. "
        "`cobalance schema` prints the same for editors.",
        "zh": "全部键及其类型、默认值和含义；由程序自动生成。`cobalance schema` 输出供编辑器使用的同一内容。",
    },
    "columns": {
        "en": "| key | type | default | meaning |\n|---|---|---|---|",
        "zh": "| 键 | 类型 | 默认值 | 含义 |\n|---|---|---|---|",
    },
    "required": {"en": "required", "zh": "必填"},
    "commands": {"en": "The command line", "zh": "命令行"},
    "commands lead": {
        "en": "Every command, with its arguments and options; made from the program itself. "
        "`COBALANCE_LANGUAGE=zh` sets the language of messages.",
        "zh": "全部命令及其参数和选项；由程序自动生成。`COBALANCE_LANGUAGE=zh` 设定消息语言。",
    },
    "options": {
        "en": "| argument or option | default | meaning |\n|---|---|---|",
        "zh": "| 参数或选项 | 默认值 | 含义 |\n|---|---|---|",
    },
}


def study_file(language: Language) -> str:
    """The page of the study file: a section each for the study and every block in it."""
    lines = [f"# {WORDS['study'][language]}", "", WORDS["lead"][language], ""]
    for path, model in _models(spec.Study, ""):
        lines += [f"## `{path}`" if path else "## `study.yaml`", "", WORDS["columns"][language]]
        for name, field in model.model_fields.items():
            cells = (f"`{name}`", f"`{_type(field.annotation)}`", _default(field, language), _half(field, language))
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def command_line(language: Language) -> str:
    """The page of the command line: a section each command."""
    group: Any = typer.main.get_command(app)
    lines = [f"# {WORDS['commands'][language]}", "", WORDS["commands lead"][language], ""]
    for name, command in group.commands.items():
        usage = " ".join(["cobalance", name, *_usage(command)])
        lines += [f"## `{name}`", "", f"`{usage}`", "", inspect.cleandoc(command.help or ""), ""]
        rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        lines += [WORDS["options"][language], *rows, ""] if rows else []
    return "\n".join(lines)


PAGES = {"study-file.md": study_file, "command-line.md": command_line}


def pages() -> Iterator[tuple[str, str]]:
    """(path below docs/, text) of every reference page in both languages."""
    for name, page in PAGES.items():
        yield f"reference/{name}", page("en")
        yield f"zh/reference/{name}", page("zh")


def on_files(files: Any, config: Any) -> Any:
    """mkdocs: the pages join the site as if they stood in docs/."""
    from mkdocs.structure.files import File

    for path, text in pages():
        files.append(File.generated(config, path, content=text))
    return files


def _models(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The model and those below it, each once, with the key under which it stands."""
    seen: set[type[BaseModel]] = set()
    stack = [(path, model)]
    while stack:
        here, own = stack.pop(0)
        if own in seen or own is spec.Text:
            continue
        seen.add(own)
        yield here, own
        for name, field in own.model_fields.items():
            below = f"{here}.{name}" if here else name
            stack += [(below, found) for found in _classes(field.annotation)]


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """Model classes inside an annotation such as ``dict[str, Group]`` or ``Outlook | None``."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _classes(part)]


def _type(annotation: Any) -> str:
    if getattr(annotation, "__origin__", None) is Literal or str(annotation).startswith("typing.Literal"):
        return " | ".join(str(choice) for choice in get_args(annotation))
    parts = [part for part in get_args(annotation) if part is not type(None)]
    origin = getattr(annotation, "__origin__", None)
    if origin is list:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"{_type(parts[0])} → {_type(parts[1])}"
    if origin is tuple:
        return ", ".join(_type(part) for part in parts if part is not Ellipsis)
    if hasattr(annotation, "__metadata__"):
        return _type(annotation.__origin__)
    if parts:
        return " | ".join(dict.fromkeys(_type(part) for part in parts))
    names = {"str": "text", "Path": "path", "float": "number", "int": "integer", "bool": "true | false"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def _default(field: FieldInfo, language: Language) -> str:
    if field.is_required():
        return WORDS["required"][language]
    value = field.get_default(call_default_factory=True)
    if value is None or value == [] or value == {} or isinstance(value, BaseModel):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:.4g}`"
    return f"`{', '.join(map(str, value)) if isinstance(value, list) else value}`"


def _half(field: FieldInfo, language: Language) -> str:
    english, _, chinese = (field.description or "").partition(MARK)
    return (chinese or english) if language == "zh" else english


def _usage(command: Any) -> Iterator[str]:
    """The arguments, in brackets where they may be left out, then the options."""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            name = _name(parameter)
            yield name if parameter.required or name.startswith("[") else f"[{name}]"
    yield "[OPTIONS]"


def _name(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        return ", ".join(parameter.opts)
    return str(parameter.metavar or parameter.name.upper())


def _parameter(parameter: Any) -> str:
    default = parameter.default
    shown = "–" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    text = str(getattr(parameter, "help", "") or "")
    cells = (f"`{_name(parameter)}`", shown, text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for path, text in pages():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text + "\n", encoding="utf-8")
