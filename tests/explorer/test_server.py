"""The server: who is let in, what is refused, where it writes, and a study from tables to results."""

from __future__ import annotations

import http.client
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cobalance.explorer.server import HEADER, ExplorerServer
from cobalance.explorer.workspace import Workspace, checked_name
from cobalance.vocabulary.errors import CobalanceError


class Client:
    """Raw requests, with or without what a request must have."""

    def __init__(self, server: ExplorerServer) -> None:
        self.server = server

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, *, token: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent.setdefault(HEADER, self.server.token if token is None else token)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    def command(self, name: str, **content: Any) -> tuple[int, Any]:
        status, _, body = self.ask("POST", f"/api/{name}", json.dumps(content))
        return status, json.loads(body)


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[ExplorerServer] = []

    def start(folder: Path) -> Client:
        server = ExplorerServer(folder)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return Client(server)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def results_folder(plain: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    plain.results.save(folder)
    return folder


def _codes(body: bytes) -> list[str]:
    return [problem["code"] for problem in json.loads(body)["problems"]]


def test_only_this_machine_is_listened_to(serve: Any, tmp_path: Path) -> None:
    assert serve(tmp_path).server.server_address[0] == "127.0.0.1"


def test_the_page_comes_with_its_policy(serve: Any, results_folder: Path) -> None:
    client = serve(results_folder)
    status, headers, body = client.ask("GET", f"/?token={client.server.token}", token="")
    assert status == 200
    assert body.startswith(b"<!doctype html>")
    allowed = headers["Content-Security-Policy"]
    assert "default-src 'none'" in allowed
    assert "unsafe" not in allowed
    assert "frame-ancestors 'none'" in allowed
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert client.server.token.encode() not in body


@pytest.mark.parametrize(
    ("path", "headers", "token"),
    [
        ("/", {}, None),
        ("/?token=wrong", {}, None),
        ("/api/state", {}, "wrong"),
        ("/api/state", {}, ""),
        ("/api/state", {}, "\u00e9"),
        ("/api/state", {"Host": "evil.example"}, None),
        ("/api/state", {"Host": "127.0.0.1"}, None),
        ("/api/state", {"Origin": "http://evil.example"}, None),
        ("/api/state", {"Origin": "null"}, None),
        ("/api/state", {"Sec_Fetch_Site": "cross-site"}, None),
    ],
)
def test_strangers_are_refused(
    serve: Any, results_folder: Path, path: str, headers: dict[str, str], token: str | None
) -> None:
    status, _, body = serve(results_folder).ask("GET", path, token=token, **headers)
    assert status == 403
    assert _codes(body) == ["E971"]
    assert "请求被拒绝" in body.decode("utf-8")


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../server.py", "/results.nc", "//etc/passwd", "/api"],
)
def test_no_address_is_a_path(serve: Any, results_folder: Path, path: str) -> None:
    assert serve(results_folder).ask("GET", path)[0] in (403, 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "HEAD"])
def test_other_methods_do_nothing(serve: Any, results_folder: Path, method: str) -> None:
    assert serve(results_folder).ask(method, "/api/state")[0] == 501


def test_bodies_are_bounded_and_must_be_json(serve: Any, tmp_path: Path) -> None:
    client = serve(tmp_path)
    assert client.ask("POST", "/api/save", b"", Content_Length="99999999999")[0] == 413
    assert client.ask("POST", "/api/save", iter([b"x"]), Transfer_Encoding="chunked")[0] == 411
    assert client.ask("POST", "/api/save", b"", Content_Length="-5")[0] == 411
    for body in (b"{", b"[1]", b"\xff\xfe", b"[" * 100_000):
        assert client.ask("POST", "/api/save", body)[0] == 400


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.csv", "..\\evil.csv", "/etc/passwd.csv", "a/b.csv", ".hidden.csv", "evil.py", "x.csv\x00.py"),
        *("", "con\n.csv", "a" * 200 + ".csv", "x.csv."),
    ],
)
def test_names_that_say_where_are_refused(name: str) -> None:
    with pytest.raises(CobalanceError, match="E972"):
        checked_name(name)


@pytest.mark.parametrize("name", ["land.csv", "用地面积（2020）.xlsx", "a b-c_1.geojson"])
def test_names_of_tables_are_taken(name: str) -> None:
    assert checked_name(name) == name


def test_uploads_are_bounded(serve: Any, tmp_path: Path) -> None:
    client = serve(tmp_path)
    status, _, body = client.ask("POST", "/api/upload?name=big.csv", b"", Content_Length=str(65 * 2**20))
    assert (status, _codes(body)) == (413, ["E971"])
    status, _, body = client.ask("POST", "/api/upload?name=../../up.csv", b"a")
    assert (status, _codes(body)) == (422, ["E972"])
    status, _, body = client.ask("POST", "/api/upload?name=no.xlsx", b"no workbook")
    assert (status, _codes(body)) == (422, ["E973"])
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}", b"0" * 2**26)
    status, _, body = client.ask("POST", "/api/upload?name=bomb.xlsx", bomb.getvalue())
    assert (status, _codes(body)) == (422, ["E973"])
    assert not any(file.is_file() for file in tmp_path.rglob("*"))
    assert list(tmp_path.parent.glob("up.csv")) == []


def test_a_link_out_of_the_folder_is_replaced_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("kept")
    folder = tmp_path / "inside"
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "land.csv").symlink_to(outside)
    Workspace(folder).store("land.csv", io.BytesIO(b"new"), 3)
    assert outside.read_text() == "kept"
    assert (folder / "inputs" / "land.csv").read_text() == "new"


def test_clusters_by_the_study_s_own_test(serve: Any, plain: Any, results_folder: Path) -> None:
    """The values of the run itself give the clusters of the run."""
    client = serve(results_folder)
    values = plain.results.dataset["carbon_balance_coefficient"].isel(year=-1).values
    status, found = client.command("clusters", values=[None if np.isnan(value) else float(value) for value in values])
    assert status == 200
    local = plain.results.table("local_moran")
    local = local[(local["variable"] == "carbon_balance_coefficient") & (local["year"] == 2019)]
    assert found["cluster"] == list(local["cluster"])
    assert found["permutations"] == 999
    for wrong in ([], [1.0], ["x"] * 12, {"a": 1}, [[1]] * 12):
        assert client.command("clusters", values=wrong)[0] == 400, wrong


def test_from_tables_to_a_checked_study(serve: Any, plain: Any, tmp_path: Path) -> None:
    """Tables are put in, a study is kept and checked; a study with problems is refused with all of them."""
    client = serve(tmp_path)
    page = client.ask("GET", f"/?token={client.server.token}")[2]
    assert b'content="setup"' in page
    assert client.command("start")[0] == 422  # no study file yet
    content = json.loads((plain.folder / "study.yaml").read_text(encoding="utf-8"))
    names = ["regions.csv", "squares.geojson", *content["inputs"]]
    for name in names:
        body = (plain.folder / name).read_bytes()
        assert client.ask("POST", f"/api/upload?name={name}", body)[0] == 200
    assert sorted(file["name"] for file in json.loads(client.ask("GET", "/api/state")[2])["files"]) == sorted(names)
    content["inputs"] = [f"inputs/{name}" for name in content["inputs"]]
    content["regions"]["table"] = "inputs/regions.csv"
    content["regions"]["boundary"]["file"] = "inputs/squares.geojson"
    status, answer = client.command("save", content=content)
    assert [problem for problem in answer["problems"] if problem["code"].startswith("E")] == []
    status, answer = client.command("save", content={**content, "outlok": {}})
    assert status == 200
    assert any("outlok" in json.dumps(problem) for problem in answer["problems"])
    assert client.command("start") == (200, {"going": True})
    status, headers, body = client.ask("GET", "/api/progress")
    assert headers["Content-Type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in body.decode("utf-8").splitlines() if line.startswith("data: ")]
    assert events[0]["stage"] == "inputs"
    assert {"zh", "en"} <= set(events[0])
    assert events[-1]["end"] == "refused"
    assert any("outlok" in json.dumps(problem) for problem in events[-1]["problems"])
    assert {file.name for file in tmp_path.iterdir()} == {"inputs", "study.yaml"}


def test_a_run_can_be_stopped(serve: Any, plain: Any, tmp_path: Path) -> None:
    for file in plain.folder.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    client = serve(tmp_path)
    assert client.command("start")[0] == 200
    status, answer = client.command("start")  # one at a time
    assert (status, answer["problems"][0]["code"]) == (422, "E974")
    assert client.command("cancel") == (200, {"going": False})
    body = client.ask("GET", "/api/progress")[2].decode("utf-8")
    assert '"cancelled"' in body
    assert not (tmp_path / "results").exists()
    assert list(tmp_path.glob(".results-*")) == []
