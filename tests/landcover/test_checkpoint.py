"""Interrupted runs go on where they were, and give the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely
from maps import region_frame, write_raster

from cobalance.landcover import Options, tabulate
from cobalance.landcover.areas import planned
from cobalance.landcover.band import tabulate_band
from cobalance.landcover.checkpoint import Journal, decoded, encoded
from cobalance.vocabulary.errors import CobalanceError

REGIONS = region_frame([shapely.box(0, 0, 20, 2048), shapely.box(20, 5, 31.5, 1800)])


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(2).integers(0, 5, (2048, 32)).astype(np.uint8)
    return write_raster(tmp_path / "map.tif", pixels, nodata=0)


def test_bands_survive_the_journal(raster: Path) -> None:
    plan = planned({2000: raster}, REGIONS, Options(transitions=False, coverage="exact"))
    bands = [tabulate_band(task) for task in plan.tasks()]
    for before, after in zip(bands, decoded(encoded(bands)), strict=True):
        assert vars(before).keys() == vars(after).keys()
        for name, value in vars(before).items():
            assert np.array_equal(value, getattr(after, name)), name


def test_an_interrupted_run_is_taken_up(tmp_path: Path, raster: Path) -> None:
    checkpoint = tmp_path / "job.checkpoint"
    calls: list[int] = []

    def interrupt(stage: str, done: int, total: int, read_bytes: int) -> None:
        calls.append(done)
        if done == 5:
            raise KeyboardInterrupt

    options = Options(threads=1, checkpoint=checkpoint)
    with pytest.raises(KeyboardInterrupt):
        tabulate({2000: raster}, REGIONS, options, interrupt)
    again: list[int] = []
    resumed = tabulate({2000: raster}, REGIONS, options, lambda stage, done, total, size: again.append(done))
    assert again[0] == 5
    assert again[-1] == 8
    fresh = tabulate({2000: raster}, REGIONS, Options(threads=1))
    assert resumed.table.equals(fresh.table)
    assert resumed.conservation.equals(fresh.conservation)


def test_a_torn_record_is_cut_off_wherever_it_tore(tmp_path: Path, raster: Path) -> None:
    plan = planned({2000: raster}, REGIONS, Options())
    bands = [tabulate_band(task) for task in plan.tasks()]
    path = tmp_path / "job.checkpoint"
    journal = Journal(path, plan.digest)
    journal.add(bands[:2])
    first = path.stat().st_size
    journal.add(bands[2:3])
    journal.close()
    whole = path.read_bytes()
    for cut in [*range(first, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:cut])
        torn = Journal(path, plan.digest)
        assert [band.number for band in torn.finished] == [0, 1]
        torn.add(bands[2:])
        torn.close()
        assert _numbers(path, plan.digest) == [band.number for band in bands]
    path.write_bytes(whole[: first + 30] + bytes([whole[first + 30] ^ 1]) + whole[first + 31 :])
    assert _numbers(path, plan.digest) == [0, 1]


def test_a_checkpoint_of_another_job_is_refused(tmp_path: Path, raster: Path) -> None:
    path = tmp_path / "job.checkpoint"
    tabulate({2000: raster}, REGIONS, Options(checkpoint=path))
    with pytest.raises(CobalanceError, match="E622 .*job.checkpoint"):
        tabulate({2000: raster}, REGIONS, Options(checkpoint=path, coverage="exact"))
    with pytest.raises(CobalanceError, match="E622"):
        tabulate({2001: raster}, REGIONS, Options(checkpoint=path))
    write_raster(raster, np.zeros((2048, 32), np.uint8))
    with pytest.raises(CobalanceError, match="E622"):
        tabulate({2000: raster}, REGIONS, Options(checkpoint=path))
    path.write_text("my notes")
    with pytest.raises(CobalanceError, match="E622"):
        tabulate({2000: raster}, REGIONS, Options(checkpoint=path))
    assert path.read_text() == "my notes"


def test_ten_kills_change_no_byte(tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed_runs.py")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path), "10"],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found["same"]
    assert found["killed"] == 10
    assert 0 < found["taken_up_at"] <= found["bands"] == 80
    assert found["left"] == []


def _numbers(path: Path, digest: str) -> list[int]:
    journal = Journal(path, digest)
    journal.close()
    return [band.number for band in journal.finished]
