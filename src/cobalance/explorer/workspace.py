"""The folder that `cobalance explore` works in: what is put there, the study file, and a run that can be stopped.

Nothing is written outside the folder, and a name never says where: only what kind of file it is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cobalance.study.results import DATASET_FILE, Results, written
from cobalance.vocabulary.errors import CobalanceError, Place, Problem, refuse

STUDY, INPUTS, OUTPUT = "study.yaml", "inputs", "results"
KINDS = (".csv", ".xlsx", ".parquet", ".geojson", ".json", ".gpkg", ".tsv", ".txt")
LARGEST = 64 * 2**20
"""Bytes of one uploaded file."""
LARGEST_UNPACKED = 512 * 2**20
MOST_FILES = 64
LARGEST_STUDY = 2**20
_NAME = re.compile(r"[\w()（）+ .-]{1,120}")
_CHUNK = 2**16


class Workspace:
    """A folder with inputs, a study file and the results of its run; or a folder of results alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.run: Run | None = None

    @property
    def study_file(self) -> Path:
        return self.folder / STUDY

    @property
    def results_folder(self) -> Path | None:
        """Where results lie: in the folder itself, or in its own ``results``; None where there are none yet."""
        places = (self.folder, self.folder / OUTPUT)
        return next((place for place in places if (place / DATASET_FILE).is_file()), None)

    def results(self) -> Results:
        """The results. Raises E901 where there are none."""
        return Results.open(self.results_folder or self.folder)

    def files(self) -> list[dict[str, Any]]:
        """Name and size of what has been put in."""
        folder = self.folder / INPUTS
        entries = sorted(folder.iterdir()) if folder.is_dir() else []
        return [{"name": entry.name, "size": entry.stat().st_size} for entry in entries if entry.is_file()]

    def store(self, name: str, stream: BinaryIO, size: int) -> Path:
        """Put ``size`` bytes of ``stream`` into the inputs. Raises E972 (name), E973 (size, damage)."""
        target = self.folder / INPUTS / checked_name(name)
        if size > LARGEST or size < 1:
            raise refuse("E973", Place(file=name), found=f"{size:,} bytes", expected=f"1 … {LARGEST:,} bytes")
        if len(self.files()) >= MOST_FILES and not target.exists():
            raise refuse("E973", Place(file=name), found=f"{MOST_FILES} files", expected=f"at most {MOST_FILES} files")
        target.parent.mkdir(parents=True, exist_ok=True)
        with written(target) as temporary:
            with temporary.open("wb") as file:
                left = size
                while left > 0 and (chunk := stream.read(min(left, _CHUNK))):
                    file.write(chunk)
                    left -= len(chunk)
            if left:
                raise refuse("E973", Place(file=name), found=f"{size - left:,} bytes", expected=f"{size:,} bytes")
            if target.suffix.lower() == ".xlsx":
                _check_workbook(temporary, name)
        return target

    def remove(self, name: str) -> None:
        (self.folder / INPUTS / checked_name(name)).unlink(missing_ok=True)

    def begin(self, table: str, boundary: str | None) -> list[dict[str, str]]:
        """Write a study file that fits a table of the inputs; what was recognised, in both languages."""
        from cobalance.study.init import write_study_file

        outline = self.folder / INPUTS / checked_name(boundary) if boundary else None
        notes = write_study_file(
            self.folder / INPUTS / checked_name(table), self.study_file, boundary=outline, force=True
        )
        return [{str(language): text for language, text in note.items()} for note in notes]

    def study_text(self) -> str:
        return self.study_file.read_text(encoding="utf-8") if self.study_file.is_file() else ""

    def study_content(self) -> Any:
        """The study file as plain values, for the form; None where there is none or it cannot be read."""
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            return YAML(typ="safe", pure=True).load(self.study_text())
        except YAMLError:
            return None

    def save_study(self, text: str) -> None:
        """Keep the study file as it was typed. Raises E973 where it is too long."""
        if len(text.encode("utf-8")) > LARGEST_STUDY:
            raise refuse("E973", Place(file=STUDY), found=f"{len(text):,}", expected=f"at most {LARGEST_STUDY:,} bytes")
        with written(self.study_file) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")

    def save_content(self, content: Any) -> None:
        """Keep the form's values as a study file."""
        import io

        from ruamel.yaml import YAML

        writer = YAML()
        writer.default_flow_style = False
        writer.width = 110
        stream = io.StringIO()
        writer.dump(content, stream)
        self.save_study(stream.getvalue())

    def check(self) -> list[dict[str, Any]]:
        """Every problem of the study and its inputs. Raises E975 where there is no study file."""
        from cobalance.study.pipeline import check_study

        if not self.study_file.is_file():
            raise refuse("E975", Place(file=STUDY))
        try:
            return [problem.as_dict() for problem in check_study(self.study_file)]
        except CobalanceError as error:
            return [problem.as_dict() for problem in error.problems]

    def start(self) -> Run:
        """Begin a run. Raises E974 where one is on its way, E975 where there is no study file."""
        if self.run is not None and self.run.going:
            raise refuse("E974", Place(file=STUDY))
        if not self.study_file.is_file():
            raise refuse("E975", Place(file=STUDY))
        self.run = Run(self.study_file, self.folder / OUTPUT)
        return self.run


class Run:
    """A study on its way in a process of its own, so that it can be stopped at any time."""

    def __init__(self, study: Path, output: Path) -> None:
        self._events: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cobalance.explorer.run", str(study), str(output)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def going(self) -> bool:
        return self._reader.is_alive()

    def cancel(self) -> None:
        """Stop; what an earlier run left stays as it was."""
        self._process.terminate()
        self._reader.join(timeout=10)

    def events(self) -> Iterator[dict[str, Any] | None]:
        """What has happened and happens, to the end; None every few seconds in which nothing does."""
        position = 0
        while True:
            with self._news:
                if position >= len(self._events):
                    if self._events and self._events[-1].get("end"):
                        return
                    self._news.wait(timeout=5)
                fresh = self._events[position:]
            position += len(fresh)
            if not fresh:
                yield None
            yield from fresh

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._tell(json.loads(line))
        code = self._process.wait()
        if not (self._events and self._events[-1].get("end")):
            self._tell({"end": "cancelled" if code < 0 else "failed"})

    def _tell(self, event: dict[str, Any]) -> None:
        with self._news:
            self._events.append(event)
            self._news.notify_all()


def checked_name(name: str) -> str:
    """``name`` where it is one plain file name of a kind that is read; E972 otherwise."""
    plain = (
        _NAME.fullmatch(name) and not name.startswith((".", " ")) and ".." not in name and not name.endswith((".", " "))
    )
    if not plain or Path(name).suffix.lower() not in KINDS:
        problem = Problem("E972", Place(), {"found": name[:80], "expected": ", ".join(KINDS)})
        raise CobalanceError(problem)
    return name


def _check_workbook(file: Path, name: str) -> None:
    """A workbook is a ZIP: one that would unpack to far more than it shows is refused before it is read."""
    try:
        with zipfile.ZipFile(file) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise refuse("E973", Place(file=name), found="no workbook", expected="an XLSX file") from error
    if size > LARGEST_UNPACKED:
        raise refuse("E973", Place(file=name), found=f"{size:,} bytes", expected=f"{LARGEST_UNPACKED:,} bytes unpacked")
