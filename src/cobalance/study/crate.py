"""A run as an archive that another machine can run again: RO-Crate 1.1, profile Process Run Crate 0.5.

``study/`` holds the study file and every file that it names, at the same relative paths; ``results/`` what the run
wrote; ``environment/requirements.txt`` the versions it ran with; ``ro-crate-metadata.json`` says what is what.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cobalance.study.provenance import sha256
from cobalance.study.results import PROVENANCE_FILE, written
from cobalance.study.spec import Study, named_files, read_study
from cobalance.vocabulary.errors import Language, Place, Problem, Problems, refuse

METADATA, STUDY, RESULTS, REQUIREMENTS = (
    "ro-crate-metadata.json",
    "study",
    "results",
    "environment/requirements.txt",
)
CRATE = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
SIDECARS = (".shx", ".dbf", ".prj", ".cpg")
"""Files that belong to a Shapefile, beside the one that is named."""

NOTICES = ("LICENSE*", "LICENCE*", "NOTICE*")

MOST_NAMED = 20
_OUTCOMES: Mapping[str, Mapping[Language, str]] = {
    "same": {"en": "Files that are the same, byte for byte: {}.", "zh": "逐字节相同的文件：{} 个。"},
    "different": {"en": "Files that came out otherwise: {}: {}", "zh": "内容不同的文件：{} 个：{}"},
    "missing": {"en": "Files that did not come out: {}: {}", "zh": "未生成的文件：{} 个：{}"},
}
NO_LICENCE = "None is stated for the study as a whole; the notices beside the data in study/ say what holds for it."

_STAMP = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold: the archive tells no clock
_FORMATS = {
    ".csv": "text/csv",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": "text/html",
    ".json": "application/json",
    ".nc": "application/netcdf",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


@dataclass(frozen=True)
class Rerun:
    """What came of running an archive again: files of the results by whether their bytes are those of the archive.

    notices  W921 for each package whose version is not the archive's
    """

    same: tuple[str, ...]
    different: tuple[str, ...]
    missing: tuple[str, ...]
    notices: tuple[Problem, ...]

    @property
    def reproduced(self) -> bool:
        return not self.different and not self.missing

    def text(self, language: Language = "en") -> str:
        """What came out, in a few lines."""
        lines = [_OUTCOMES["same"][language].format(len(self.same))]
        for key, files in (("different", self.different), ("missing", self.missing)):
            if files:
                lines.append(_OUTCOMES[key][language].format(len(files), ", ".join(files[:MOST_NAMED])))
        return "\n".join([*lines, *(notice.text(language) for notice in self.notices)])


def write_crate(
    results: Path, study: Path, file: Path, *, published: datetime.date, license_url: str | None = None
) -> Path:
    """Write the run of ``study`` that left ``results`` as the archive ``file`` (zip).

    results    folder of a run
    study      the study file that was run, its inputs where it says
    published  date of the archive, which RO-Crate asks for; given, so that the same run gives the same bytes

    Raises E901 (no results), E926 (study file or an input is not what was run), E927 (a file that the study names
    elsewhere than by a relative path), E903.
    """
    provenance = _provenance(results)
    read, _ = read_study(study)
    inputs = study_files(read, study)
    _check_unchanged(provenance, study)
    root = Path(os.path.commonpath([path.parent for path in inputs.values()]))
    content = {f"{STUDY}/{path.relative_to(root).as_posix()}": path.read_bytes() for path in inputs.values()}
    main = f"{STUDY}/{study.resolve().relative_to(root).as_posix()}"
    content |= {
        f"{RESULTS}/{path.relative_to(results).as_posix()}": path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }
    content[REQUIREMENTS] = "".join(f"{line}\n" for line in requirements()).encode()
    graph = _graph(content, main, provenance, published, license_url)
    text = json.dumps({"@context": [f"{CRATE}/context", TERMS], "@graph": graph}, ensure_ascii=False, indent=2)
    with written(file) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in [(METADATA, (text + "\n").encode()), *sorted(content.items())]:
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o644 << 16, 3
            archive.writestr(entry, data, compresslevel=9)
    return file


def rerun_crate(file: Path, output: Path, run: Callable[[Path, Path], Any]) -> Rerun:
    """Run the study of an archive again into ``output`` and compare every byte of the results.

    run  what runs a study file into a folder, as ``cobalance run`` does

    Raises E928 where ``file`` is no archive that :func:`write_crate` wrote, and whatever the run raises.
    """
    with tempfile.TemporaryDirectory(prefix="cobalance-") as name:
        folder = Path(name)
        main, hashes, lines = _unpacked(file, folder)
        run(folder / main, output)
    found = {path.relative_to(output).as_posix(): sha256(path) for path in sorted(output.rglob("*")) if path.is_file()}
    same = tuple(path for path, digest in hashes.items() if found.get(path) == digest)
    different = tuple(path for path, digest in hashes.items() if path in found and found[path] != digest)
    return Rerun(same, different, tuple(path for path in hashes if path not in found), _other_versions(lines))


def study_files(study: Study, file: Path) -> dict[str, Path]:
    """Every file that a study needs, as it names them → where they are; the study file itself first.

    Raises E927, all at once, for those that another machine would not find: absolute paths and addresses.
    """
    problems = Problems()
    found = {file.name: file.resolve()}
    for name in [*(str(path) for _, path in named_files(study)), *_own_sets(study), *_legends(study)]:
        path = file.parent / name
        if Path(name).is_absolute() or not path.is_file():
            problems.add("E927", Place(file=file.name), found=name)
            continue
        found[name] = path.resolve()
        if path.suffix.lower() == ".shp":
            found |= {
                str(Path(name).with_suffix(ending)): side.resolve()
                for ending in SIDECARS
                if (side := path.with_suffix(ending)).is_file()
            }
    problems.raise_errors()
    return found | _licences(found)


def _licences(files: Mapping[str, Path]) -> dict[str, Path]:
    """The notices and licences that stand beside the files: data goes nowhere without them."""
    folders = sorted({path.parent for path in files.values()})
    return {str(path): path for folder in folders for kind in NOTICES for path in sorted(folder.glob(kind))}


def requirements() -> list[str]:
    """``name==version`` of cobalance and of every package that it needs here, directly or through others."""
    wanted, found = ["cobalance"], dict[str, str]()
    while wanted:
        name = wanted.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found:
            continue
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # asked for on another system or by an extra only
        found[key] = package.version
        needed = (line for line in package.requires or () if "extra ==" not in line)
        wanted += [match[0] for line in needed if (match := re.match(r"[\w.-]+", line))]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


def _own_sets(study: Study) -> Iterator[str]:
    """The user's own coefficient files."""

    def names(choice: Any) -> Iterator[str]:
        if isinstance(choice, dict):
            choice = list(choice.values())
        for item in choice if isinstance(choice, list) else [choice]:
            if isinstance(item, (dict, list)):
                yield from names(item)
            elif str(item).endswith(".csv"):
                yield str(item)

    for choice in study.coefficients.model_dump().values():
        yield from names(choice)


def _legends(study: Study) -> Iterator[str]:
    legend = study.land_cover.legend if study.land_cover else None
    if legend is not None and legend.endswith(".csv"):
        yield legend


def _provenance(results: Path) -> dict[str, Any]:
    file = results / PROVENANCE_FILE
    if not file.is_file():
        raise refuse("E901", Place(file=str(results)), found=results)
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _check_unchanged(provenance: Mapping[str, Any], study: Path) -> None:
    """E926 for each file whose bytes are not those of the run."""
    problems = Problems()
    expected = {study.name: provenance["study_file"]["sha256"], **provenance["inputs"]}
    for name, digest in expected.items():
        path = study if name == study.name else study.parent / name
        if not path.is_file() or sha256(path) != digest:
            problems.add("E926", Place(file=study.name), found=name)
    problems.raise_errors()


def _graph(
    content: Mapping[str, bytes],
    main: str,
    provenance: Mapping[str, Any],
    published: datetime.date,
    license_url: str | None,
) -> list[dict[str, Any]]:
    """The entities of the archive: the root, the run, the program, and a file each."""
    study = provenance["study"]
    program = f"#cobalance-{provenance['cobalance']}"
    inputs = [name for name in sorted(content) if name.startswith(f"{STUDY}/")]
    outputs = [name for name in sorted(content) if name.startswith(f"{RESULTS}/")]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": PROFILE},
        "name": study["title"]["en"],
        "alternateName": study["title"]["zh"],
        "description": f"A cobalance run with its inputs: {study['title']['en']}",
        "datePublished": published.isoformat(),
        "license": {"@id": license_url} if license_url else NO_LICENCE,
        "hasPart": _references(sorted(content)),
        "mentions": {"@id": "#run"},
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"cobalance run {PurePosixPath(main).name}",
        "description": f"seed {provenance['seed']}; basis of the land's rates: {provenance['basis'] or 'none'}",
        "instrument": {"@id": program},
        "object": _references([main, *(name for name in inputs if name != main)]),
        "result": _references(outputs),
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    software = {
        "@id": program,
        "@type": "SoftwareApplication",
        "name": "cobalance",
        "softwareVersion": provenance["cobalance"],
        "runtimePlatform": f"Python {provenance['python']}",
    }
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    about = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": CRATE},
        "about": {"@id": "./"},
    }
    return [about, root, profile, run, software, *(_entity(name, data) for name, data in sorted(content.items()))]


def _references(names: list[str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in names]


def _entity(name: str, data: bytes) -> dict[str, Any]:
    entity = {
        "@id": name,
        "@type": "File",
        "name": PurePosixPath(name).name,
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    ending = PurePosixPath(name).suffix.lower()
    if name == REQUIREMENTS:
        entity["description"] = "The versions of every package that the run used"
    return entity | {"encodingFormat": _FORMATS.get(ending, "text/plain" if not ending else "application/octet-stream")}


def _unpacked(file: Path, folder: Path) -> tuple[str, dict[str, str], list[str]]:
    """Unpack the study; (its file, result file → SHA-256, requirements). Raises E928."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            graph = json.loads(archive.read(METADATA))["@graph"]
            run = next(entity for entity in graph if entity["@id"] == "#run")
            main = str(run["object"][0]["@id"])
            for name in names:
                parts = PurePosixPath(name).parts
                if parts[0] == STUDY and ".." not in parts and "\\" not in name:
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
            hashes = {
                name.removeprefix(f"{RESULTS}/"): hashlib.sha256(archive.read(name)).hexdigest()
                for name in names
                if name.startswith(f"{RESULTS}/")
            }
            lines = archive.read(REQUIREMENTS).decode().splitlines()
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, StopIteration, IndexError) as error:
        raise refuse("E928", Place(file=str(file)), found=file, reason=str(error) or type(error).__name__) from error
    if not (folder / main).is_file():
        raise refuse("E928", Place(file=str(file)), found=file, reason=main)
    return main, hashes, lines


def _other_versions(lines: list[str]) -> tuple[Problem, ...]:
    here = dict(line.split("==", 1) for line in requirements())
    there = dict(line.split("==", 1) for line in lines if "==" in line)
    return tuple(
        Problem("W921", Place(), {"package": name, "expected": version, "found": here.get(name, "–")})
        for name, version in there.items()
        if here.get(name) != version
    )
