"""A run that is killed with SIGKILL ten times and then left to finish; prints what came out as JSON.

A process of its own, because it forks: once everything is imported, a fork costs nothing.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import shapely
from maps import region_frame, write_raster

from cobalance.landcover.command import LandcoverOptions, run_landcover


def main(folder: Path, kills: int) -> None:
    raster = _raster(folder)
    region_frame([shapely.box(i * 9, 0, i * 9 + 9, 20_480) for i in range(7)]).to_file(folder / "regions.gpkg")
    _run(raster, folder / "reference.csv", pause=0.0)
    moments = random.Random(20_261_125)
    killed = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            _run(raster, folder / "result.csv", pause=0.01)
            os._exit(0)
        time.sleep(moments.uniform(0.02, 0.35))
        os.kill(child, signal.SIGKILL)
        killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    calls: list[int] = []
    _run(raster, folder / "result.csv", pause=0.0, calls=calls)
    same = all(
        (folder / f"result{ending}").read_bytes() == (folder / f"reference{ending}").read_bytes()
        for ending in (".csv", ".conservation.csv")
    )
    left = [path.name for path in folder.iterdir() if "checkpoint" in path.name or path.name.endswith(".part")]
    print(json.dumps({"killed": killed, "taken_up_at": calls[0], "bands": calls[-1], "same": same, "left": left}))


def _raster(folder: Path) -> str:
    rows = np.random.default_rng(4).integers(0, 6, (20_480, 64)).astype(np.uint8)
    return str(write_raster(folder / "map.tif", rows))


def _run(raster: str, output: Path, *, pause: float, calls: list[int] | None = None) -> None:
    def progress(stage: str, done: int, total: int, read_bytes: int) -> None:
        time.sleep(pause)
        if calls is not None:
            calls.append(done)

    options = LandcoverOptions(
        rasters=(raster,), years=(2000,), regions=output.parent / "regions.gpkg", output=output, resume=True, threads=1
    )
    run_landcover(options, progress)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
