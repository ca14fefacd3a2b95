"""The command line: init, check, run, demo, landcover, schema."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cobalance.vocabulary.errors import Language, Problem

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Carbon–oxygen balance of regions, from one study file.\n\n区域碳氧平衡研究：一个研究文件，一条命令。",
    epilog="Begin with: cobalance demo · then: cobalance init YOUR_TABLE.xlsx",
)
StudyFile = Annotated[Path, typer.Argument(metavar="STUDY", help="The study file, such as study.yaml.")]


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("results/us-states"),
) -> None:
    """Run the embedded study of the US states and say where its report is. 运行内置的美国各州示例。"""
    from cobalance.study.examples import example

    run(example("us-states"), output)


@app.command()
def run(
    study: StudyFile,
    output: Annotated[Path, typer.Option(help="Folder for the results; an earlier run in it is replaced.")] = Path(
        "results"
    ),
    png: Annotated[bool, typer.Option("--png", help="Write each figure as PNG too.")] = False,
) -> None:
    """Run a study: accounts, balance, space, outlook, ecological land, tables, figures, report. 运行研究。

    Leaves in the output folder: report.html, explorer.html, tables.xlsx, tables/*.csv, results.nc, regions.gpkg,
    figures/ and provenance.json. Nothing is written until all of it is there.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from cobalance.explorer import write_explorer
    from cobalance.report import write_report
    from cobalance.study.pipeline import run_study
    from cobalance.study.results import replaced

    with _progress() as step:
        results = run_study(study, step, output.with_name(f".{output.name}.land-cover"))
        # both pages stand on the results alone: a second processor makes the one while the first makes the other
        with replaced(output) as folder, ProcessPoolExecutor(1, get_context("spawn")) as second:
            page = second.submit(write_explorer, results, folder / "explorer.html")
            step("results", 0)
            results.save(folder)
            forms = ("svg", "png") if png else ("svg",)
            write_report(results, folder, results.study.languages, lambda done: step("report", done), forms)
            page.result()
    _say_where(output)
    _say_notices(results.table("notices"))


@app.command()
def check(
    study: StudyFile,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> None:
    """List every problem of a study file and its inputs at once; run nothing. 检查研究文件和输入，不运行。"""
    from cobalance.study.pipeline import check_study

    problems = check_study(study)
    if as_json:
        typer.echo(json.dumps([problem.as_dict() for problem in problems], ensure_ascii=False, indent=2))
    else:
        _print_problems(problems)
        if not problems.errors:
            typer.echo(_in(_language(), "No errors. Run it with: ", "没有错误。运行：") + f"cobalance run {study}")
    raise typer.Exit(1 if problems.errors else 0)


@app.command()
def init(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Your own table: CSV, XLSX or Parquet.")],
    output: Annotated[Path, typer.Option(help="The study file to write.")] = Path("study.yaml"),
    boundary: Annotated[Path | None, typer.Option(help="Polygons of the regions.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a file that is there already.")] = False,
) -> None:
    """Write a commented study file that fits your own table. 由自己的数据表生成带注释的研究文件。"""
    from cobalance.study.init import write_study_file

    notes = write_study_file(table, output, boundary=boundary, force=force)
    typer.echo(_in(_language(), f"Wrote {output}.", f"已写入 {output}。"))
    for note in notes:
        typer.echo("  " + note[_language()])
    typer.echo(_in(_language(), "Next: ", "下一步：") + f"cobalance check {output}")


@app.command()
def landcover(
    rasters: Annotated[list[str], typer.Argument(help="Land-cover rasters: GeoTIFF, COG, VRT, or https addresses.")],
    years: Annotated[str, typer.Option(help="The year of each raster: 1990,2000; a year again for a mosaic's files.")],
    output: Annotated[Path, typer.Option(help="Table to write, .csv or .parquet; NAME.conservation.csv beside it.")],
    regions: Annotated[Path | None, typer.Option(help="Polygons of the regions, in any CRS.")] = None,
    key: Annotated[str | None, typer.Option(help="Column of the regions' codes; default region.")] = None,
    grid: Annotated[float | None, typer.Option(help="Instead of regions: square cells of this step.")] = None,
    coverage: Annotated[
        str, typer.Option(help="centre: where a pixel's centre lies; exact: by covered part.")
    ] = "centre",
    overlap: Annotated[str, typer.Option(help="Pixels of several regions: each, last, or error.")] = "each",
    legend: Annotated[str | None, typer.Option(help="A product (CLCD, WorldCover, NLCD, …) or a CSV.")] = None,
    transitions: Annotated[
        bool, typer.Option("--transitions", help="Also class-to-class changes between years.")
    ] = False,
    unread: Annotated[str, typer.Option(help="Damaged tiles: stop, or list them and leave them out.")] = "stop",
    mixed_grids: Annotated[bool, typer.Option("--mixed-grids", help="The years may lie on different grids.")] = False,
    scheduler: Annotated[str, typer.Option(help="local, or the address of a Dask scheduler.")] = "local",
    threads: Annotated[int | None, typer.Option(help="How many threads; default one a processor.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Keep a checkpoint, and go on from it.")] = False,
    checkpoint: Annotated[Path | None, typer.Option(help="The checkpoint's file.")] = None,
) -> None:
    """Areas of land classes from rasters, by region and year. 由土地覆盖栅格统计各区域各地类面积。"""
    from cobalance.landcover.command import LandcoverOptions, run_landcover
    from cobalance.progress import counted

    options = LandcoverOptions(
        rasters=tuple(rasters), years=_years(years), output=output, regions=regions, key=key, grid=grid,
        coverage=coverage, overlap=overlap, legend=legend, transitions=transitions, unread=unread,  # type: ignore[arg-type]
        mixed_grids=mixed_grids, scheduler=scheduler, threads=threads, resume=resume, checkpoint=checkpoint,
    )  # fmt: skip
    with counted(_language()) as progress:
        written = run_landcover(options, progress, lambda problem: _print_problems([problem]))
    typer.echo(written)


@app.command()
def explain(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder that `cobalance run` wrote.")],
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Such as 'ecological_land_gap[310000, carbon]'.")],
    depth: Annotated[int | None, typer.Option(help="Levels below the number; default all, down to the cells.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tree as JSON.")] = False,
) -> None:
    """Say what a number was formed from, back to the input cell. 追溯一个数字，直到输入单元格。"""
    from cobalance.study.explain import explain as explanation
    from cobalance.study.results import Results

    found = explanation(Results.open(results), number)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=2))
    else:
        typer.echo(found.text(_language(), depth=depth))


@app.command()
def explore(
    folder: Annotated[
        Path, typer.Argument(metavar="[RESULTS]", help="Results of a run, or a folder to set up in.")
    ] = Path(),
    port: Annotated[int, typer.Option(help="Port on this machine; default any free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Explore results live in the browser, on this machine alone. 在本机浏览器中交互探索结果。"""
    from cobalance.explorer.server import serve

    serve(folder, port=port, browser=browser)


@app.command()
def crate(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder that `cobalance run` wrote.")],
    study: StudyFile,
    output: Annotated[Path, typer.Option(help="The archive to write.")] = Path("run.zip"),
    date: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Its date; default today.")] = None,
) -> None:
    """Archive a run as an RO-Crate that runs again to the same bytes. 将一次运行归档为可复现的 RO-Crate。"""
    from cobalance.study.crate import write_crate

    typer.echo(write_crate(results, study, output, published=(date or datetime.now()).date()))


@app.command()
def rerun(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="What `cobalance crate` wrote.")],
    output: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("again"),
) -> None:
    """Run an archive again and compare every byte. 重新运行归档并逐字节比较。"""
    from cobalance.study.crate import rerun_crate

    outcome = rerun_crate(archive, output, run)
    typer.echo(outcome.text(_language()))
    raise typer.Exit(0 if outcome.reproduced else 1)


@app.command()
def export(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="Folder that `cobalance run` wrote.")],
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("exchange"),
    to: Annotated[list[str] | None, typer.Option(help="geoparquet, netcdf, iamc, seea, latex, docx …")] = None,
) -> None:
    """Write the results for other programs. 输出供其他程序使用的格式。"""
    from cobalance.report.interchange import write_interchange
    from cobalance.study.results import Results

    for file in write_interchange(Results.open(results), output, to):
        typer.echo(file)


@app.command()
def sets(
    name: Annotated[str | None, typer.Argument(metavar="[SET]", help="Show the rows of this set.")] = None,
) -> None:
    """List the coefficient sets, or the rows of one with source and status. 列出系数集，或某一系数集的各行。"""
    from cobalance.coefficients import coefficient_sets, read_set

    table = coefficient_sets() if name is None else read_set(name).drop(columns=["set", "seen_at"], errors="ignore")
    _print_table(table)


@app.command()
def schema() -> None:
    """Print the JSON schema of the study file, for completion in editors. 输出研究文件的 JSON Schema。"""
    from cobalance.study.spec import json_schema

    typer.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


def main() -> None:
    """Run the command line; coded problems are printed in the reader's language, without a traceback."""
    from cobalance.vocabulary.errors import CobalanceError

    try:
        app()
    except CobalanceError as error:
        _print_problems(error.problems)
        sys.exit(1)


def _years(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(year) for year in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"'{text}': years such as 1990,2000", param_hint="--years") from None


def _progress() -> Any:
    """A context that shows stage and time left on a terminal, and a line a stage elsewhere."""
    from cobalance.progress import shown
    from cobalance.study.pipeline import STAGES

    return shown(STAGES, _language())


def _print_problems(problems: Iterable[Problem]) -> None:
    for problem in problems:
        colour = typer.colors.RED if problem.is_error else typer.colors.YELLOW
        typer.secho(problem.text(_language()), fg=colour, err=problem.is_error)


def _language() -> Language:
    """Chinese where the environment asks for it (COBALANCE_LANGUAGE or the locale), else English."""
    chosen = os.environ.get("COBALANCE_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "zh" if chosen.lower().startswith("zh") else "en"


def _in(language: Language, english: str, chinese: str) -> str:
    return chinese if language == "zh" else english


def _print_table(table: Any) -> None:
    """A table for the terminal, or tab-separated where the output goes elsewhere."""
    texts = table.astype(object).where(table.notna(), "").astype(str)
    if not sys.stdout.isatty():
        typer.echo(texts.to_csv(sep="\t", index=False), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(*map(str, texts.columns), box=None, header_style="bold")
    for row in texts.itertuples(index=False):
        shown.add_row(*row)
    Console().print(shown)


def _say_where(output: Path) -> None:
    language = _language()
    for name, english, chinese in (
        ("report.html", "report", "报告"),
        ("explorer.html", "explorer", "交互页面"),
        ("tables.xlsx", "tables", "表格"),
        ("tables", "tables as CSV", "CSV 表格"),
        ("regions.gpkg", "map layers", "地图图层"),
        ("figures", "figures", "图件"),
        ("results.nc", "dataset", "数据集"),
        ("provenance.json", "provenance", "数据溯源"),
    ):
        if (output / name).exists():
            typer.echo(f"  {_in(language, english, chinese):<16}{output / name}")


def _say_notices(notices: Any) -> None:
    if len(notices):
        language = _language()
        text = _in(language, f"{len(notices)} notices; see the report:", f"{len(notices)} 条提示，详见报告：")
        typer.secho(text, fg=typer.colors.YELLOW)
        for row in notices.head(8).itertuples():
            typer.echo(f"  {row.code} {row.found_zh if language == 'zh' else row.found_en}")


if __name__ == "__main__":
    main()
