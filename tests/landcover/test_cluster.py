"""A Dask cluster gives the same integers as threads, also when it loses a worker midway."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from maps import region_frame, write_raster

from cobalance.landcover import Options, tabulate
from cobalance.vocabulary.errors import CobalanceError

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # its own threads and sockets warn as they end

REGIONS = region_frame([shapely.box(0, 0, 20, 6000), shapely.box(20, 5, 31.5, 1800), shapely.box(-5, 90, 9, 4000)])


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as started:
            yield started


@pytest.fixture(scope="module")
def rasters(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("maps")
    rng = np.random.default_rng(2)
    return {
        year: write_raster(folder / f"{year}.tif", rng.integers(0, 5, (6144, 32)).astype(np.uint8), nodata=0)
        for year in (1990, 2000, 2010)
    }


@pytest.mark.parametrize("coverage", ["centre", "exact"])
def test_a_cluster_equals_threads(cluster: object, rasters: dict[int, Path], coverage: str) -> None:
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    far = tabulate(rasters, REGIONS, Options(scheduler=address, coverage=coverage, transitions=True))
    near = tabulate(rasters, REGIONS, Options(threads=2, coverage=coverage, transitions=True))
    assert far.table.equals(near.table)
    assert far.conservation.equals(near.conservation)
    assert far.transitions is not None
    assert far.transitions.equals(near.transitions)


def test_a_worker_lost_midway_changes_nothing(cluster: object, rasters: dict[int, Path], tmp_path: Path) -> None:
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    lost: list[str] = []

    def lose_a_worker(stage: str, done: int, total: int, read_bytes: int) -> None:
        if done >= 4 and not lost:
            with distributed.Client(address, set_as_default=False) as client:
                lost.append(next(iter(client.scheduler_info()["workers"])))
                client.run(lambda: __import__("os")._exit(9), workers=lost, on_error="ignore")

    options = Options(scheduler=address, checkpoint=tmp_path / "job.checkpoint")
    far = tabulate(rasters, REGIONS, options, lose_a_worker)
    near = tabulate(rasters, REGIONS, Options(threads=1))
    assert lost
    assert far.table.equals(near.table)
    assert far.conservation.equals(near.conservation)


def test_errors_come_home_from_the_cluster(cluster: object, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "map.tif", np.random.default_rng(0).integers(0, 9, (64, 64)).astype(np.uint8))
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes(bytes(data))
    address = cluster.scheduler_address  # type: ignore[attr-defined]
    with pytest.raises(CobalanceError, match="E609 .*map.tif"):
        tabulate({2000: path}, region_frame([shapely.box(0, 0, 64, 64)]), Options(scheduler=address))


def test_a_scheduler_that_is_not_there(rasters: dict[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cobalance.landcover.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(CobalanceError, match="E629 .*tcp://127.0.0.1:9"):
        tabulate(rasters, REGIONS, Options(scheduler="tcp://127.0.0.1:9"))
