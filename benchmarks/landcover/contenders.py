"""One contender on one raster and one set of regions, in a process of its own; prints what it took as JSON.

CPU seconds are those after all imports and a warm-up on a small map, peak memory is that of the process, and beside it
stands what the imports and the warm-up alone had taken.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio

Counts = dict[tuple[str, int], float]


def ours(raster: Path, regions: Path, coverage: str) -> Counts:
    from cobalance.landcover import Options, tabulate

    frame = gpd.read_file(regions)
    result = tabulate({2000: raster}, frame, Options(coverage=coverage, threads=1))  # type: ignore[arg-type]
    series = result.pixels.isel(year=0, drop=True).to_series()
    return {(str(r), int(k)): float(v) for (r, k), v in series.items() if v > 0}


def ours_by_year(raster: Path, regions: Path, years: int) -> Counts:
    """The raster and its re-coded sister by turns: no tile is ever stored as the year before."""
    from cobalance.landcover import Options, tabulate

    files = [raster, raster.with_name("small_other.tif" if raster.stem == "small" else "other.tif")]
    tabulate({2000 + y: files[y % 2] for y in range(years)}, gpd.read_file(regions), Options(threads=1))
    return {}


def exactextract_unique(raster: Path, regions: Path) -> Counts:
    import exactextract

    frame = gpd.read_file(regions)
    found = exactextract.exact_extract(str(raster), frame, ["unique", "frac", "count"], include_cols=["region"])
    return {
        (values["region"], int(code)): float(share * values["count"])
        for values in (feature["properties"] for feature in found)
        for code, share in zip(values["unique"], values["frac"], strict=True)
    }


def gdal_zonal(raster: Path, regions: Path, pixels: str) -> Counts:
    """GDAL's own zonal-stats, by the C API of the GDAL that pyogrio carries."""
    gdal = _gdal()
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.json"
        path = _strings("raster", "zonal-stats")
        algorithm = gdal.GDALAlgorithmRegistryInstantiateAlgFromPath(gdal.GDALGetGlobalAlgorithmRegistry(), path)
        arguments = _strings(
            "--input", str(raster), "--zones", str(regions), "--include-field", "region", "--pixels", pixels,
            "--stat", "unique,frac,count", "--output-format", "GeoJSON", "--output", str(output),
        )  # fmt: skip
        parsed = gdal.GDALAlgorithmParseCommandLineArguments(algorithm, arguments)
        done = parsed and gdal.GDALAlgorithmRun(algorithm, None, None) and gdal.GDALAlgorithmFinalize(algorithm)
        if not done:
            raise RuntimeError(gdal.CPLGetLastErrorMsg().decode())
        features = json.loads(output.read_text())["features"]
    return {
        (values["region"], int(code)): share * values["count"]
        for values in (feature["properties"] for feature in features)
        for code, share in zip(values["unique"], values["frac"], strict=True)
    }


def _gdal() -> ctypes.CDLL:
    import pyogrio

    library = next((Path(pyogrio.__file__).parent.parent / "pyogrio.libs").glob("libgdal*"))
    gdal = ctypes.CDLL(str(library))
    gdal.GDALAllRegister()
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("GDALGetGlobalAlgorithmRegistry", pointer, []),
        ("GDALAlgorithmRegistryInstantiateAlgFromPath", pointer, [pointer, pointer]),
        ("GDALAlgorithmParseCommandLineArguments", ctypes.c_bool, [pointer, pointer]),
        ("GDALAlgorithmRun", ctypes.c_bool, [pointer, pointer, pointer]),
        ("GDALAlgorithmFinalize", ctypes.c_bool, [pointer]),
        ("CPLGetLastErrorMsg", ctypes.c_char_p, []),
    ):
        function = getattr(gdal, name)
        function.restype, function.argtypes = result, arguments
    return gdal


def _strings(*texts: str) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(texts) + 1))(*[text.encode() for text in texts], None)


def rasterize_bincount(raster: Path, regions: Path) -> Counts:
    """The usual way by hand: zones burnt tile row by tile row, then one histogram of zone and class."""
    from rasterio.features import rasterize
    from rasterio.windows import Window, transform
    from shapely import STRtree, box

    frame = gpd.read_file(regions)
    shapes = frame.geometry.to_numpy()
    tree = STRtree(shapes)
    sums = np.zeros((len(frame) + 1) * 256, np.int64)
    with rasterio.open(raster) as dataset:
        height, width = dataset.block_shapes[0]
        for top in range(0, dataset.height, height):
            for left in range(0, dataset.width, width):
                window = Window(left, top, min(width, dataset.width - left), min(height, dataset.height - top))
                there = np.sort(tree.query(box(*rasterio.windows.bounds(window, dataset.transform))))
                if not there.size:
                    continue
                zones = rasterize(
                    [(shapes[i], int(i) + 1) for i in there],
                    out_shape=(window.height, window.width),
                    transform=transform(window, dataset.transform),
                    dtype=np.int32,
                )
                pixels = dataset.read(1, window=window)
                sums += np.bincount((zones.astype(np.int64) * 256 + pixels).ravel(), minlength=sums.size)
    table = sums.reshape(-1, 256)[1:]
    return {(frame["region"].iloc[z], int(k)): float(table[z, k]) for z, k in zip(*np.nonzero(table), strict=True)}


def decode_touched(raster: Path, regions: Path) -> Counts:
    """The limit: the stored bytes of the tiles that a region touches, decoded and thrown away."""
    import imagecodecs
    from shapely import STRtree, box

    from cobalance.landcover.tiff import read_tile_index

    index = read_tile_index(raster)
    shapes = gpd.read_file(regions).geometry.to_numpy()
    with rasterio.open(raster) as dataset:
        a = dataset.transform
    rows, columns = np.indices(index.offsets.shape)
    left, top = a.c + columns.ravel() * index.tile_width * a.a, a.f + rows.ravel() * index.tile_height * a.e
    tiles = box(left, top + index.tile_height * a.e, left + index.tile_width * a.a, top)
    touched = np.unique(STRtree(tiles).query(shapes, predicate="intersects")[1])
    out = np.empty(index.tile_width * index.tile_height, np.uint8)
    started = time.process_time()
    with raster.open("rb") as stream:
        for tile in touched.tolist():
            stream.seek(index.offsets.flat[tile])
            imagecodecs.deflate_decode(stream.read(index.sizes.flat[tile]), out=out)
    return {("cpu", 0): time.process_time() - started, ("tiles", 0): float(len(touched))}


CONTENDERS: dict[str, Callable[[Path, Path], Counts]] = {
    "ours centre": lambda raster, regions: ours(raster, regions, "centre"),
    "ours exact": lambda raster, regions: ours(raster, regions, "exact"),
    "ours 1 year": lambda raster, regions: ours_by_year(raster, regions, 1),
    "ours 5 years": lambda raster, regions: ours_by_year(raster, regions, 5),
    "exactextract": exactextract_unique,
    "GDAL centre": lambda raster, regions: gdal_zonal(raster, regions, "default"),
    "GDAL fractional": lambda raster, regions: gdal_zonal(raster, regions, "fractional"),
    "rasterize + bincount": rasterize_bincount,
    "decode touched tiles": decode_touched,
}


def _peak() -> float:
    """MB; not from getrusage, whose peak a process inherits from its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main(name: str, raster: Path, regions: Path, small: Path, small_regions: Path, output: Path) -> None:
    run = CONTENDERS[name]
    run(small, small_regions)
    imports = _peak()
    cpu, wall = time.process_time(), time.perf_counter()
    counts = run(raster, regions)
    took = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "peak": _peak(), "imports": imports}
    rows = [[region, code, value] for (region, code), value in sorted(counts.items())]
    output.write_text(json.dumps({**took, "counts": rows}))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:7]))
