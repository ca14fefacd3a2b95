"""The benchmark of class areas: ours beside its peers and beside the limit, on rasters and regions made here.

    python benchmarks/landcover/run.py FOLDER [--noise] [--peers all]

FOLDER takes the rasters (260 MB; 180 MB more for noise). Each contender runs in a process of its own; its counts
are compared with ours before its time is printed. Other load on the machine shows in wall time and, on shared cores,
in CPU time too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from material import HEIGHT, WIDTH, make_raster, make_regions

HERE = Path(__file__).parent
PEERS = ["GDAL centre", "rasterize + bincount", "exactextract", "GDAL fractional"]
PROVINCES, COUNTIES = ("31 provinces", 31, 9), ("2,000 counties", 2000, 5)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--noise", action="store_true", help="the worst case instead: each pixel drawn alone, 0.3 Gpx")
    parser.add_argument("--peers", default="", help="slow contenders too (minutes), separated by commas, or all")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    if options.noise:
        size = (WIDTH // 2, HEIGHT // 2)
        rasters = {"noise": make_raster(options.folder / "noise.tif", noise=True, size=size)}
    else:
        rasters = {"patches": make_raster(options.folder / "patches.tif")}
        recoded(rasters["patches"], options.folder / "other.tif")
    for kind, raster in rasters.items():
        for label, count, steps in (PROVINCES, COUNTIES):
            regions = options.folder / f"regions{count}.gpkg"
            if not regions.exists():
                make_regions(count, steps=steps).to_file(regions)
            one_table(f"{kind}, {label}", raster, regions, options)


def one_table(title: str, raster: Path, regions: Path, options: argparse.Namespace) -> None:
    """Run the contenders and print one table."""
    names = ["decode touched tiles", "ours centre", "ours exact"]
    if raster.stem == "patches":
        names += ["ours 1 year", "ours 5 years"]
    names += PEERS if options.peers == "all" else [name for name in options.peers.split(",") if name]
    print(f"\n## {title}\n\n| | CPU s | wall s | peak MB | over imports | counts |\n|---|---|---|---|---|---|")
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        found[name] = contender(name, raster, regions, options.folder)
        if name == "decode touched tiles":
            found[name]["cpu"] = found[name]["counts"]["cpu", 0]
        took = found[name]
        print(
            f"| {name} | {took['cpu']:.2f} | {took['wall']:.2f} | {took['peak']:.0f} "
            f"| +{took['peak'] - took['imports']:.0f} | {agreement(name, found)} |",
            flush=True,
        )
    ratios(found)


def ratios(found: dict[str, dict[str, Any]]) -> None:
    """What the bars are set on."""
    cpu = {name: took["cpu"] for name, took in found.items()}
    decode = cpu["decode touched tiles"]
    lines = [f"ours centre / decode {cpu['ours centre'] / decode:.2f}"]
    if "ours 5 years" in cpu:
        further = (cpu["ours 5 years"] - cpu["ours 1 year"]) / 4
        lines.append(f"each further year {further:.2f} s = {further / decode:.2f} × decode")
    for peer, mine in (
        ("GDAL centre", "ours centre"),
        ("rasterize + bincount", "ours centre"),
        ("exactextract", "ours exact"),
        ("GDAL fractional", "ours exact"),
    ):
        if peer in cpu:
            lines.append(f"{peer} / {mine} {cpu[peer] / cpu[mine]:.1f}")
    print("\n" + "; ".join(lines))


def agreement(name: str, found: dict[str, dict[str, Any]]) -> str:
    """How a contender's counts differ from ours of the same rule, zone by zone."""
    reference = {"GDAL centre": "ours centre", "rasterize + bincount": "ours centre"}.get(name)
    reference = {"exactextract": "ours exact", "GDAL fractional": "ours exact"}.get(name, reference)
    if reference is None:
        return ""
    mine, theirs = found[reference]["counts"], found[name]["counts"]
    most = max(abs(mine.get(key, 0) - theirs.get(key, 0)) for key in mine.keys() | theirs.keys())
    return f"differ from ours by at most {most:.1e} px"


def contender(name: str, raster: Path, regions: Path, folder: Path) -> dict[str, Any]:
    """Run one contender in a process of its own."""
    small = make_raster(folder / "small.tif", size=(2048, 1024))
    recoded(small, folder / "small_other.tif")
    small_regions = folder / "small.gpkg"
    if not small_regions.exists():
        make_regions(9, steps=2).to_file(small_regions)
    output = folder / "took.json"
    script = str(HERE / "contenders.py")
    command = [sys.executable, script, name, *map(str, (raster, regions, small, small_regions, output))]
    subprocess.run(command, check=True)
    took = json.loads(output.read_text())
    took["counts"] = {(region, code): value for region, code, value in took["counts"]}
    return took


def recoded(source: Path, target: Path) -> Path:
    """The same map with its classes moved on by one: as costly, and no tile stored alike."""
    if target.exists():
        return target
    with rasterio.open(source) as dataset, rasterio.open(target, "w", **dataset.profile) as copy:
        for _, window in dataset.block_windows(1):
            copy.write((dataset.read(1, window=window) % 9 + 1).astype(np.uint8), 1, window=window)
    return target


if __name__ == "__main__":
    main()
