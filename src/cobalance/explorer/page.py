"""The explorer as one HTML file: program, style and data inside, and a policy that lets it reach nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
from importlib import resources
from pathlib import Path
from typing import Any

from cobalance.explorer.encoding import packed
from cobalance.explorer.payload import payload
from cobalance.study.results import Results, written
from cobalance.vocabulary.errors import refuse

_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="{generator}">
<meta name="cobalance" content="{life}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="app"><header class="top"><div class="heading"><h1>{title}</h1></div></header>
<noscript>{noscript}</noscript></div>
<script id="payload" type="application/octet-stream">{payload}</script>
<script>{program}</script>
</body>
</html>
"""
_NO_SCRIPT = "This page needs JavaScript; it asks nothing of the network. 本页需要 JavaScript；不访问网络。"


def write_explorer(results: Results, file: Path) -> Path:
    """Write the explorer of ``results`` to ``file``, one HTML file that needs nothing else; the same results give the
    same bytes. Raises E903 where ``file`` cannot be written, E970 where the package lacks the built front end."""
    text = explorer_page(results)
    with written(file) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return file


def explorer_page(results: Results) -> str:
    """The explorer of ``results`` as HTML. Raises E970."""
    return page_of(payload(results))


def page_of(content: dict[str, Any], life: str = "file") -> str:
    """The page that carries a payload.

    life  ``file``: it stands alone and may reach nothing; ``results`` and ``setup``: served by
          :mod:`cobalance.explorer.server`, it may reach that server and nothing else
    """
    style, program = asset("explorer.css"), asset("explorer.js")
    language = content["languages"][0]
    return _PAGE.format(
        language="zh-CN" if language == "zh" else "en",
        policy=html.escape(policy(program, style, connects=life != "file")),
        life=life,
        generator=html.escape(content["generator"]),
        title=html.escape(content["title"][language]),
        style=style,
        noscript=_NO_SCRIPT,
        payload=packed(content),
        program=program,
    )


def policy(program: str, style: str, *, connects: bool = False) -> str:
    """The content security policy: this very script, this very style, pictures made in the page, no connection but,
    where the page is served, to its own server."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(program)}",
            f"style-src {_source(style)}",
            "img-src blob: data:",
            "connect-src 'self'" if connects else "connect-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def asset(name: str) -> str:
    """A file of the built front end. Raises E970 where it is not there or would end its own element."""
    file = resources.files("cobalance.explorer") / "assets" / name
    if not file.is_file():
        raise refuse("E970", found=name)
    text = file.read_text(encoding="utf-8").strip()
    small = text.lower()
    # a comment's opening is harmless by itself, but with "<script" it hides the script's own end from the parser
    if "</script" in small or "</style" in small or ("<!--" in small and "<script" in small):
        raise refuse("E970", found=name)
    return text


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
