"""`cobalance explore FOLDER`: the explorer on this machine alone, with what only Python can do behind it.

The server listens on 127.0.0.1 and a port that the system gives. Whoever asks must know the token of the address that
was printed, must have come by that address (Host), and must be its own page (Origin). It serves one page and a few
commands; no path of the file system is ever made from an address.
"""

from __future__ import annotations

import json
import secrets
import threading
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import xarray as xr

from cobalance import __version__
from cobalance.explorer.page import asset, page_of, policy
from cobalance.explorer.payload import payload
from cobalance.explorer.workspace import Workspace
from cobalance.vocabulary.errors import CobalanceError, Place, refuse

HEADER = "X-Cobalance-Token"
LARGEST_COMMAND = 4 * 2**20
QUIET_SECONDS = 30
"""A connection that says nothing for so long is closed."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Refusal(Exception):
    """A request that is not answered, and why."""

    status: HTTPStatus
    reason: str


class ExplorerServer(ThreadingHTTPServer):
    """The page and the commands of one folder."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.token = secrets.token_urlsafe(24)
        self.workspace = Workspace(folder)
        self._page: tuple[Path, int, str] | None = None
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/?token={self.token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        return f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"

    def page(self) -> str:
        """The explorer of the folder's results, or the page that sets a study up. Made again after a new run."""
        folder = self.workspace.results_folder
        if folder is None:
            return page_of(_setup(), "setup")
        changed = (folder / "provenance.json").stat().st_mtime_ns
        with self._lock:
            if self._page is None or self._page[:2] != (folder, changed):
                self._page = (folder, changed, page_of(payload(self.workspace.results()), "results"))
            return self._page[2]


def serve(folder: Path, *, port: int = 0, browser: bool = True) -> None:
    """Serve ``folder`` until interrupted; the address is printed and, with ``browser``, opened."""
    with ExplorerServer(folder, port) as server:
        print(server.address, flush=True)
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            if server.workspace.run is not None and server.workspace.run.going:
                server.workspace.run.cancel()


class Handler(BaseHTTPRequestHandler):
    """One request: first whether it may be answered at all, then the page or a command."""

    server: ExplorerServer
    server_version = f"cobalance/{__version__}"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = QUIET_SECONDS

    def do_GET(self) -> None:
        self._answer(GETS)

    def do_POST(self) -> None:
        self._answer(POSTS)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: an access log would hold the token."""

    def _answer(self, commands: dict[str, Callable[[Handler], None]]) -> None:
        self.query = parse_qs(urlsplit(self.path).query)
        try:
            self._admit()
            command = commands.get(urlsplit(self.path).path)
            if command is None:
                raise Refusal(HTTPStatus.NOT_FOUND, "there is nothing at this address")
            command(self)
        except Refusal as refusal:
            self._refuse(refusal.status, [refuse("E971", found=refusal.reason).problems[0].as_dict()])
        except CobalanceError as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, [problem.as_dict() for problem in error.problems])
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            self.close_connection = True

    def _admit(self) -> None:
        """Raise a Refusal unless the request comes by our address, from our page, with our token."""
        hosts = self.server.hosts
        if self.headers.get("Host", "") not in hosts:
            raise Refusal(HTTPStatus.FORBIDDEN, "the request names another host")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in {f"http://{host}" for host in hosts}:
            raise Refusal(HTTPStatus.FORBIDDEN, "the request comes from another page")
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise Refusal(HTTPStatus.FORBIDDEN, "the request comes from another page")
        # the page itself is asked for by its address; every command carries the token as a header, which no other
        # page can make a browser send
        is_page = urlsplit(self.path).path == "/"
        given = self.query.get("token", [""])[0] if is_page else self.headers.get(HEADER, "")
        if not secrets.compare_digest(given.encode("utf-8"), self.server.token.encode("utf-8")):
            raise Refusal(HTTPStatus.FORBIDDEN, "the token is missing or wrong")

    def length(self, most: int) -> int:
        """Bytes of the body; a body without a length, or beyond ``most``, is refused before it is read."""
        text = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not text.isdecimal():
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "the length of the body is not given")
        if int(text) > most:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {most:,} bytes")
        return int(text)

    def content(self) -> dict[str, Any]:
        """The body as a JSON object."""
        body = self.rfile.read(self.length(LARGEST_COMMAND))
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body is no JSON") from error
        if not isinstance(content, dict):
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
        return content

    def reply(self, content: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        self.send(text.encode("utf-8"), "application/json; charset=utf-8", status)

    def send(
        self,
        body: bytes,
        kind: str,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {
            **_HEADERS,
            **(headers or {}),
            "Content-Type": kind,
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _refuse(self, status: HTTPStatus, problems: list[dict[str, Any]]) -> None:
        self.close_connection = True  # what is left of the body is not read
        self.reply({"problems": problems}, status)


def _page(handler: Handler) -> None:
    allowed = policy(asset("explorer.js"), asset("explorer.css"), connects=True)
    body = handler.server.page().encode("utf-8")
    headers = {"Content-Security-Policy": allowed + "; frame-ancestors 'none'"}
    handler.send(body, "text/html; charset=utf-8", headers=headers)


def _state(handler: Handler) -> None:
    workspace = handler.server.workspace
    handler.reply(
        {
            "folder": workspace.folder.name,
            "files": workspace.files(),
            "study": workspace.study_text(),
            "content": workspace.study_content(),
            "results": workspace.results_folder is not None,
            "going": workspace.run is not None and workspace.run.going,
        }
    )


def _schema(handler: Handler) -> None:
    from cobalance.study.spec import json_schema

    handler.reply(json_schema())


def _upload(handler: Handler) -> None:
    from cobalance.explorer.workspace import LARGEST

    size = handler.length(LARGEST)
    name = handler.query.get("name", [""])[0]
    handler.server.workspace.store(name, handler.rfile, size)  # type: ignore[arg-type]
    handler.reply({"files": handler.server.workspace.files()})


def _remove(handler: Handler) -> None:
    handler.server.workspace.remove(str(handler.content().get("name", "")))
    handler.reply({"files": handler.server.workspace.files()})


def _begin(handler: Handler) -> None:
    wanted = handler.content()
    boundary = wanted.get("boundary")
    notes = handler.server.workspace.begin(str(wanted.get("table", "")), str(boundary) if boundary else None)
    workspace = handler.server.workspace
    handler.reply({"notes": notes, "study": workspace.study_text(), "content": workspace.study_content()})


def _save(handler: Handler) -> None:
    """Keep the study, as text or as the form's content, and say every problem that it has."""
    wanted = handler.content()
    workspace = handler.server.workspace
    if "content" in wanted:
        workspace.save_content(wanted["content"])
    else:
        workspace.save_study(str(wanted.get("text", "")))
    handler.reply(
        {"problems": workspace.check(), "study": workspace.study_text(), "content": workspace.study_content()}
    )


def _start(handler: Handler) -> None:
    handler.content()
    handler.server.workspace.start()
    handler.reply({"going": True})


def _cancel(handler: Handler) -> None:
    handler.content()
    if handler.server.workspace.run is not None:
        handler.server.workspace.run.cancel()
    handler.reply({"going": False})


def _progress(handler: Handler) -> None:
    """Server-sent events of the run: each stage, and how it ends."""
    run = handler.server.workspace.run
    if run is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "no run has begun")
    handler.send_response(HTTPStatus.OK)
    for name, value in {**_HEADERS, "Content-Type": "text/event-stream; charset=utf-8", "Connection": "close"}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.close_connection = True
    for event in run.events():
        text = ":\n\n" if event is None else f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
        handler.wfile.write(text.encode("utf-8"))
        handler.wfile.flush()


def _clusters(handler: Handler) -> None:
    """Moran and LISA of values that the page computed, by the study's own weights, permutations and seed."""
    from cobalance.spatial import moran
    from cobalance.study.space import study_weights

    wanted = handler.content()
    results = handler.server.workspace.results()
    regions = [str(region) for region in results.dataset["region"].values]
    values = wanted.get("values")
    if not isinstance(values, list) or len(values) != len(regions):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"one value for each of {len(regions)} regions is needed")
    try:
        numbers = np.array([np.nan if value is None else float(value) for value in values])
    except (TypeError, ValueError) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the values are no numbers") from error
    data = xr.DataArray(np.where(np.isfinite(numbers), numbers, np.nan), {"region": regions}, name="scenario")
    spatial = results.study.spatial
    if spatial.weights.file is not None:
        raise refuse("E976", Place(key="spatial.weights.file"), found=spatial.weights.file)
    links = study_weights(results.regions, spatial, handler.server.workspace.folder)
    options: dict[str, Any] = {"permutations": spatial.permutations, "seed": results.study.seed}
    local = moran.local_moran(
        data,
        links,
        correction=None if spatial.correction == "none" else spatial.correction,
        alpha=spatial.significance,
        **options,
    )
    overall = moran.global_moran(data, links, **options)
    handler.reply(
        {
            "cluster": [str(word) for word in local["cluster"].values],
            "pseudo_p": [None if np.isnan(p) else float(p) for p in local["pseudo_p"].values],
            "moran_i": _plain(overall["moran_i"]),
            "p_randomisation": _plain(overall["p_randomisation"]),
            "global_pseudo_p": _plain(overall["pseudo_p"]),
            "permutations": spatial.permutations,
        }
    )


def _plain(value: xr.DataArray) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None


def _setup() -> dict[str, Any]:
    """What the page needs before there are results."""
    title = {"en": "A new study", "zh": "新建研究"}
    return {"format": 1, "generator": f"cobalance {__version__}", "title": title, "languages": ["en", "zh"]}


GETS: dict[str, Callable[[Handler], None]] = {
    "/": _page,
    "/api/state": _state,
    "/api/schema": _schema,
    "/api/progress": _progress,
}
POSTS: dict[str, Callable[[Handler], None]] = {
    "/api/upload": _upload,
    "/api/remove": _remove,
    "/api/begin": _begin,
    "/api/save": _save,
    "/api/start": _start,
    "/api/cancel": _cancel,
    "/api/clusters": _clusters,
}
