"""A national job: 30 years of 9.6 Gpx each, 2,000 counties, on a two-process Dask cluster that loses a worker midway.

    python benchmarks/landcover/national.py FOLDER [--years 30]

A year is a mosaic of eight files of 1.2 Gpx, copies of the benchmark's raster at an eighth of its cell size; the
re-coded sister map stands for every other year, so that no tile is stored as the year before. Takes 2.1 GB of disk.
Prints time, memory of each process, and whether the bytes of the tables equal those of a run in threads.
"""

from __future__ import annotations

import argparse
import os
import shutil
import threading
import time
from pathlib import Path

import distributed
import geopandas as gpd
import rasterio
from material import make_raster, make_regions
from rasterio.transform import Affine
from run import recoded

from cobalance.landcover import Options, tabulate

ACROSS, DOWN = 4, 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--years", type=int, default=30)
    options = parser.parse_args()
    maps = [make_raster(options.folder / "patches.tif")]
    maps.append(recoded(maps[0], options.folder / "other.tif"))
    mosaics = [_mosaic(path, options.folder / "national") for path in maps]
    rasters = {1990 + year: mosaics[year % 2] for year in range(options.years)}
    regions = make_regions(2000, steps=5)
    print(f"{options.years} years × {ACROSS * DOWN} files of 1.2 Gpx; load {os.getloadavg()[0]:.1f}", flush=True)
    near = _in_threads(rasters, regions)
    far = _on_cluster(rasters, regions)
    print(f"tables equal, byte by byte: {near == far}")


def _mosaic(source: Path, folder: Path) -> list[Path]:
    folder.mkdir(exist_ok=True)
    files = []
    for number in range(ACROSS * DOWN):
        row, column = divmod(number, ACROSS)
        path = folder / f"{source.stem}_{number}.tif"
        files.append(path)
        if path.exists():
            continue
        shutil.copy(source, path)
        with rasterio.open(path, "r+") as dataset:
            old = dataset.transform
            dx, dy = old.a / ACROSS, old.e / DOWN
            left, top = old.c + column * dataset.width * dx, old.f + row * dataset.height * dy
            dataset.transform = Affine(dx, 0, left, 0, dy, top)
    return files


def _in_threads(rasters: dict[int, list[Path]], regions: gpd.GeoDataFrame) -> bytes:
    cpu, wall = time.process_time(), time.perf_counter()
    result = tabulate(rasters, regions, Options(threads=2))
    print(
        f"threads: {time.perf_counter() - wall:.0f} s wall, {time.process_time() - cpu:.0f} s CPU, "
        f"peak {_memory(os.getpid(), 'VmHWM'):.0f} MB",
        flush=True,
    )
    return _bytes(result)


def _on_cluster(rasters: dict[int, list[Path]], regions: gpd.GeoDataFrame) -> bytes:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        peaks: dict[int, float] = {}
        done = threading.Event()
        watch = threading.Thread(target=_watch, args=(cluster.scheduler_address, peaks, done))
        watch.start()
        lost: list[int] = []

        def lose_a_worker(stage: str, finished: int, total: int, read_bytes: int) -> None:
            if finished > total / 2 and not lost:
                lost.append(min(peaks))
                os.kill(lost[0], 9)

        wall = time.perf_counter()
        result = tabulate(rasters, regions, Options(scheduler=cluster.scheduler_address), lose_a_worker)
        took = time.perf_counter() - wall
        done.set()
        watch.join()
    memory = ", ".join(f"{peak:.0f}" for peak in peaks.values())
    print(f"cluster: {took:.0f} s wall; worker {lost[0]} killed midway; peak MB of the workers: {memory}", flush=True)
    return _bytes(result)


def _watch(address: str, peaks: dict[int, float], done: threading.Event) -> None:
    with distributed.Client(address, set_as_default=False) as client:
        while not done.wait(0.5):
            for process in client.run(os.getpid, on_error="ignore").values():
                if isinstance(process, int):
                    peaks[process] = max(peaks.get(process, 0.0), _memory(process, "VmHWM"))


def _memory(process: int, what: str) -> float:
    try:
        return int(Path(f"/proc/{process}/status").read_text().split(f"{what}:")[1].split()[0]) / 1024
    except OSError:
        return 0.0


def _bytes(result: object) -> bytes:
    tables = (result.table, result.conservation)  # type: ignore[attr-defined]
    return b"".join(table.to_csv(index=False).encode() for table in tables)


if __name__ == "__main__":
    main()
