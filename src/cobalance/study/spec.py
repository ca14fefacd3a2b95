"""The study file's model: the one place that says which keys there are, what they mean and what they default to.

The JSON schema for editors, the help of ``cobalance init`` and the reference page are all made from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from cobalance.study.source import KeyPath, StudySource, add_validation_problems, read_source
from cobalance.vocabulary.errors import Language, Problems

SCHEMA_NAME = "study.schema.json"
BUILTIN_REGIONS: dict[str, Literal["china_provinces", "us_states"]] = {
    "china-provinces": "china_provinces",
    "us-states": "us_states",
}
BALANCES = ("carbon_balance_coefficient", "oxygen_balance_coefficient")


class Model(BaseModel):
    """Strict about keys: an unknown one is a mistake, not an extra."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _text(value: Any) -> Any:
    return {"en": value, "zh": value} if isinstance(value, str) else value


def _years(value: Any) -> Any:
    """``1990-2019``, ``[1990, 2000]``, ``2008`` or ``{first: 1990, last: 2020, step: 10}`` as a list of years."""
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d{4})\s*[-–—:]\s*(\d{4})\s*", value)):
        return list(range(int(match[1]), int(match[2]) + 1))
    if isinstance(value, dict) and {"first", "last"} <= set(value) <= {"first", "last", "step"}:
        return list(range(int(value["first"]), int(value["last"]) + 1, int(value.get("step", 1))))
    if isinstance(value, str):
        raise ValueError("years such as 1990-2019 or [1990, 2000, 2010] ｜ 年份，如 1990-2019 或 [1990, 2000, 2010]")
    return value


def _fraction(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return float(Fraction(value.replace(" ", "")))
        except (ValueError, ZeroDivisionError) as error:
            raise ValueError("a number such as 0.25 or a fraction such as 1/3 ｜ 数值如 0.25 或分数如 1/3") from error
    return value


def _code(value: Any) -> Any:
    """Codes are text; YAML reads 110000 as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _input(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class Text(Model):
    """A text in both languages; one plain text serves as both."""

    en: str
    zh: str

    def get(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


BilingualText = Annotated[Text, BeforeValidator(_text)]
Code = Annotated[str, BeforeValidator(_code)]
Years = Annotated[list[int], BeforeValidator(_years)]
Share = Annotated[float, BeforeValidator(_fraction)]


class Boundary(Model):
    file: Path = Field(
        description="GeoJSON, GeoPackage or Shapefile with one polygon or more a region. ｜ 每个区域一个或多个面的 GeoJSON、GeoPackage 或 Shapefile。"
    )
    key: str = Field(description="Column that holds the region's code or name. ｜ 存放区域代码或名称的字段。")
    source: str = Field(description="Whose boundary it is; printed under every map. ｜ 边界来源，标注在每幅地图下。")
    review_number: str | None = Field(
        None, description="Map review number (审图号); without one, maps are drafts. ｜ 审图号；没有则地图标注为草图。"
    )
    layer: str | None = Field(
        None, description="Layer of a GeoPackage with several. ｜ GeoPackage 含多个图层时的图层名。"
    )
    encoding: str | None = Field(
        None,
        description="Encoding of a Shapefile's table, where it is ambiguous. ｜ Shapefile 属性表的编码（无法判断时）。",
    )
    repeated: Literal["refuse", "dissolve"] = Field(
        "refuse", description="Several rows of one region. ｜ 同一区域有多行时的处理。"
    )
    surplus: Literal["refuse", "leave out"] = Field(
        "refuse", description="Polygons that are no region of the study. ｜ 不属于研究区域的面的处理。"
    )


class Regions(Model):
    table: str = Field(
        description="CSV of the regions (region, name_zh, name_en), or a built-in one: china-provinces, us-states. ｜ 区域表 CSV（region、name_zh、name_en），或内置表 china-provinces、us-states。"
    )
    select: list[Code] | None = Field(
        None,
        description="Only these regions, by code or name; default all. ｜ 只研究这些区域（代码或名称），默认全部。",
    )
    boundary: Boundary | None = Field(
        None, description="Polygons for maps and spatial pattern. ｜ 用于制图和空间分析的边界面。"
    )


class Group(Model):
    en: str = Field(description="Name in English. ｜ 英文名。")
    zh: str = Field(description="Name in Chinese. ｜ 中文名。")
    members: list[Code] = Field(description="Regions by code or name. ｜ 成员区域，代码或名称。", min_length=1)


Key = Literal["region", "year", "variable"]


class InputFile(Model):
    """One table of the study's inputs; a plain path stands for a tidy file."""

    file: Path = Field(
        description="CSV, XLSX or Parquet, from the study file's folder. ｜ CSV、XLSX 或 Parquet，路径相对于研究文件。"
    )
    sheet: str | None = Field(None, description="Sheet of a workbook. ｜ 工作表名。")
    layout: Literal["tidy", "wide"] = Field(
        "tidy", description="One row a fact, or a yearbook's wide sheet. ｜ 一行一值的长表，或年鉴宽表。"
    )
    down: list[Key] = Field(["region"], description="Wide: what the label columns say. ｜ 宽表：行标签表示什么。")
    across: Key = Field("year", description="Wide: what the headings say. ｜ 宽表：列标题表示什么。")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Role (region, year, variable, item, value, unit, source, flag, note) → the file's own heading. ｜ 列的含义 → 文件自己的列名。",
    )
    region: Code | None = Field(None, description="The region that the whole table is about. ｜ 整张表所属的区域。")
    year: int | None = Field(None, description="The year that the whole table is about. ｜ 整张表所属的年份。")
    variable: str | None = Field(None, description="The variable that the whole table is about. ｜ 整张表的变量。")
    unit: str | None = Field(None, description="Unit of values that print none. ｜ 未写明单位的数值的单位。")
    names: dict[str, str] = Field(
        default_factory=dict, description="The file's own variable name → ours. ｜ 文件自己的变量名 → 标准变量名。"
    )
    drop: list[str] = Field(
        default_factory=list, description="Labels of rows or columns to leave out. ｜ 要剔除的行或列（按名称）。"
    )
    encoding: str | None = Field(
        None, description="Encoding of a text file, where it is ambiguous. ｜ 文本文件的编码（无法判断时）。"
    )


class Fill(Model):
    """How the years that a table lacks are filled; each filled cell is flagged to the end."""

    before: Literal["none", "hold"] = Field(
        "none", description="Years before the first observed one. ｜ 首个观测年之前的年份。"
    )
    between: Literal["none", "linear", "hold"] = Field(
        "none", description="Years between observed ones. ｜ 观测年之间的年份。"
    )
    after: Literal["none", "hold"] = Field(
        "none", description="Years after the last observed one. ｜ 末个观测年之后的年份。"
    )


SetChoice = str | list[str] | dict[str, str]


class Coefficients(Model):
    """A set by name (or a CSV of your own), a list in order of preference, or item → set with a ``default``."""

    sequestration: SetChoice = Field(
        "npp-footprint", description="Rates of carbon uptake and oxygen release. ｜ 固碳率与释氧率。"
    )
    emission: SetChoice = Field("ipcc2006", description="Carbon per unit of fuel. ｜ 单位燃料的碳排放。")
    oxygen: SetChoice = Field("oxidative-ratio", description="Oxygen per carbon burnt. ｜ 燃烧单位碳的耗氧。")
    cement: SetChoice = Field(
        "cement-andrew2025", description="Process carbon per tonne of cement. ｜ 每吨水泥的工艺碳排放。"
    )
    respiration: SetChoice = Field("nasa-rp1324", description="Carbon and oxygen of breathing. ｜ 呼吸的释碳与耗氧。")
    photosynthesis: SetChoice = Field(
        "pq-1",
        description="Oxygen per carbon taken up, where a set gives none. ｜ 系数集未给出释氧率时，固定单位碳所释放的氧。",
    )


class LandCover(Model):
    """Land areas from rasters in place of a table."""

    rasters: dict[int, Path | list[Path]] = Field(
        description="Year → raster, or the tiles of a mosaic. ｜ 年份 → 栅格文件，或拼接的多个分块。"
    )
    legend: str | None = Field(
        None,
        description="A shipped crosswalk (CLCD, ESA-WorldCover, …) or a CSV code,name. ｜ 内置分类对照表（CLCD、ESA-WorldCover 等）或 code,name 的 CSV。",
    )
    coverage: Literal["centre", "exact"] = Field(
        "centre", description="Pixel centres, or exact cover of pixels. ｜ 按像元中心，或按像元精确覆盖比例。"
    )
    overlap: Literal["each", "last", "error"] = Field(
        "error",
        description="Pixels of several regions: each counts them, the last has them, or an error. ｜ 区域重叠处的像元：各自计入、归最后一个区域，或报错。",
    )
    mixed_grids: bool = Field(False, description="Years may lie on different grids. ｜ 各年份的栅格可以不同。")


class Weights(Model):
    type: Literal["queen", "rook", "k-nearest", "distance-band", "inverse-distance", "kernel", "file"] = Field(
        "queen", description="Which regions are neighbours. ｜ 哪些区域互为邻居。"
    )
    order: int = Field(1, ge=1, description="Order of contiguity. ｜ 邻接阶数。")
    k: int | None = Field(None, ge=1, description="Neighbours of k-nearest. ｜ k 近邻的邻居数。")
    distance_km: float | None = Field(
        None, gt=0, description="Reach of a distance band or kernel. ｜ 距离带或核函数的范围。"
    )
    file: Path | None = Field(None, description="GAL, GWT or Parquet of weights. ｜ 权重文件 GAL、GWT 或 Parquet。")
    row_standardised: bool = Field(True, description="Whether a region's weights sum to 1. ｜ 权重是否行标准化。")
    islands: Literal["own class", "nearest"] = Field(
        "own class", description="What a region without neighbours is. ｜ 没有邻居的区域如何处理。"
    )
    bridges: list[tuple[Code, Code]] = Field(
        default_factory=list,
        description="Pairs linked though they do not touch (Hainan, Guangdong). ｜ 不接壤但视为相邻的区域对（如海南与广东）。",
    )


class Spatial(Model):
    weights: Weights = Field(default_factory=Weights, description="Who is whose neighbour. ｜ 空间权重。")
    variables: list[str] = Field(
        list(BALANCES), description="What is tested for spatial pattern. ｜ 检验空间格局的变量。"
    )
    gravity: list[str] = Field(list(BALANCES), description="What weighs the gravity centre. ｜ 重心的权重变量。")
    permutations: int = Field(99_999, ge=99, description="Permutations of the pseudo p-values. ｜ 伪 p 值的置换次数。")
    significance: float = Field(
        0.05, gt=0, lt=1, description="Below this p a cluster is named. ｜ 低于此 p 值才判定聚类。"
    )
    correction: Literal["none", "bh", "by", "bonferroni"] = Field(
        "none",
        description="Correction for many tests; bh is the false discovery rate. ｜ 多重检验校正；bh 为错误发现率。",
    )
    crs: str | None = Field(
        None,
        description="Projection of centres and maps; default an equal-area one that fits. ｜ 重心与地图的投影，默认合适的等积投影。",
    )

    @field_validator("weights", mode="before")
    @classmethod
    def _plain_type(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value


OutlookModel = Literal[
    "linear", "grey", "growth", "damped_growth", "theil_sen", "grey_discrete", "grey_background", "grey_rolling"
]


class Outlook(Model):
    window: tuple[int, int] = Field(
        description="First and last year of the series that is extrapolated. ｜ 外推所用序列的首末年。"
    )
    target: int = Field(description="Year that the outlook is for. ｜ 预测目标年。")
    models: list[OutlookModel] = Field(
        ["linear", "grey", "growth"], min_length=1, description="Which models are combined. ｜ 参与组合的模型。"
    )
    combination: Literal["mean", "median", "inverse error", "best"] = Field(
        "mean", description="How they are combined; the last two go by past errors. ｜ 组合方式；后两种依据回测误差。"
    )
    backtest: bool = Field(True, description="Whether past forecasts are held against what happened. ｜ 是否做回测。")
    inputs: list[Annotated[InputFile, BeforeValidator(_input)]] = Field(
        default_factory=list,
        description="Series of another definition to extrapolate; default the study's own. ｜ 用于外推的其他口径序列，默认用研究自身的数据。",
    )
    definition: BilingualText | None = Field(
        None, description="What the other series measures. ｜ 其他口径序列的含义。"
    )
    apply: Literal["level", "growth"] = Field(
        "level",
        description="Take the forecast itself, or its growth since the base year times the account. ｜ 直接取预测值，或取预测相对基准年的增长乘以核算值。",
    )

    fallback: Literal["last value", "none"] = Field(
        "last value",
        description="Where no model applies: hold the last observed value, said in the tables, or leave it missing. ｜ 无适用模型时：沿用末次观测值（表中注明），或留空。",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Outlook:
        if not self.window[0] < self.window[1] < self.target:
            raise ValueError(
                "window [first, last] and a target after it, in order ｜ 依次为窗口 [首年, 末年] 及其后的目标年"
            )
        return self


class EcologicalLand(Model):
    phi: Share = Field(
        1 / 3,
        gt=0,
        le=1,
        description="Share φ of the burden that the region's land should carry. ｜ 区域土地应承担的负荷份额 φ。",
    )
    base_year: int | None = Field(
        None, description="Year whose land is compared; default the study's last. ｜ 用于对比的用地年份，默认研究末年。"
    )
    classes: list[str] | None = Field(
        None,
        description="Classes that count; default all that take up carbon. ｜ 计为生态用地的地类，默认所有固碳地类。",
    )
    reference: str = Field("forest", description="Class whose hectares are the standard. ｜ 作为标准的地类。")
    convertible: dict[str, Share] = Field(
        default_factory=dict,
        description="Class → share of it that may become the reference class; default all cropland, grassland, garden, shrub and barren land. ｜ 地类 → 可转为标准地类的份额，默认全部耕地、草地、园地、灌木和裸地。",
    )


Multiplier = Annotated[float | dict[int, float], Field(union_mode="left_to_right")]
"""A number, or a path year → number."""


class Conversion(Model):
    from_class: str = Field(description="Class that land has now. ｜ 现有地类。")
    to_class: str = Field(description="Class that it becomes. ｜ 转入地类。")
    share: Share = Field(ge=0, le=1, description="Share of the first class's area. ｜ 占现有地类面积的份额。")


class Scenario(Model):
    """Another course to the target year: multipliers, each a number or a path such as {2025: 0.9, 2030: 0.7}."""

    en: str = Field(description="Name in English. ｜ 英文名。")
    zh: str = Field(description="Name in Chinese. ｜ 中文名。")
    activities: dict[str, Multiplier] = Field(
        default_factory=dict,
        description="Fuel, cement, population or source → multiplier. ｜ 燃料、水泥、人口或排放源 → 乘数。",
    )
    land: dict[str, Multiplier] = Field(
        default_factory=dict, description="Land class → multiplier of its area. ｜ 地类 → 面积乘数。"
    )
    rates: dict[str, Multiplier] = Field(
        default_factory=dict, description="Land class → multiplier of its rates. ｜ 地类 → 速率乘数。"
    )
    convert: list[Conversion] = Field(
        default_factory=list, description="Shares of one class that become another. ｜ 某地类转为另一地类的份额。"
    )


class Compensation(Model):
    """Deficits covered by the surplus of other regions."""

    target: Literal["carbon", "oxygen"] = Field("carbon", description="Which balance is compensated. ｜ 补偿的对象。")
    price: float = Field(
        1.0, ge=0, description="Price of a tonne and year, in a currency of your own. ｜ 每吨每年的价格。"
    )
    first_within_groups: bool = Field(
        False, description="Whether groups first help their own. ｜ 是否先在区域组内部补偿。"
    )


Bounds = float | tuple[float, float]
"""A relative half-width, or low and high."""


class Uncertainty(Model):
    """How the study is drawn: every rate, factor, share and forecast from its own distribution."""

    draws: int = Field(1000, ge=1, description="How many draws. ｜ 抽样次数。")
    design: Literal["latin hypercube", "sobol"] = Field(
        "latin hypercube", description="How points are spread. ｜ 抽样设计。"
    )
    distributions: dict[str, str] = Field(
        default_factory=dict,
        description="Quantity or default → kind of distribution; else triangular. ｜ 参数或 default → 分布类型，默认三角分布。",
    )
    bounds: dict[str, Bounds] = Field(
        default_factory=dict,
        description="Quantity, or quantity and item → half-width, or [low, high]. ｜ 参数（及类别） → 相对半宽或 [下限, 上限]。",
    )
    activities: dict[str, Bounds] = Field(
        default_factory=dict,
        description="Fuel, cement, population, source or land class → half-width, or [low, high] as factors. ｜ 燃料、水泥、人口、排放源或地类 → 相对半宽或倍数区间。",
    )
    phi: tuple[Share, Share] | None = Field(
        None, description="Low and high of the share φ; else held. ｜ 份额 φ 的上下限，默认固定。"
    )
    sets: Literal["spread", "choice", "none"] = Field(
        "spread",
        description="Rows without bounds: the spread of comparable sets, a set a draw, or none. ｜ 无上下限的系数：同类系数集的离散、逐次抽取系数集，或不抽样。",
    )
    sensitivity: int = Field(
        256,
        ge=0,
        description="Rows of the sensitivity designs, a power of two; 0: none. ｜ 敏感性设计的行数（2 的幂），0 为不做。",
    )
    resamples: int = Field(
        200, ge=1, description="Bootstrap resamples of its confidence limits. ｜ 置信区间的重抽样次数。"
    )
    permutations: int = Field(
        499, ge=99, description="Permutations of the local test in each draw. ｜ 每次抽样的局部检验置换次数。"
    )
    cluster_years: list[int] | None = Field(
        None, description="Years whose clusters are followed; default the last. ｜ 跟踪聚类稳定性的年份，默认末年。"
    )
    memory: int = Field(256 * 2**20, ge=2**20, description="Bytes for arrays of draws. ｜ 抽样数组可用的内存字节数。")
    scheduler: str | None = Field(None, description="Address of a Dask scheduler. ｜ Dask 调度器地址。")


class Study(Model):
    """Everything a study says about itself."""

    title: BilingualText = Field(description="Title in both languages. ｜ 中英文标题。")
    years: Years = Field(
        description="Years of the accounts: 1990-2019, or a list. ｜ 核算年份：1990-2019 或列表。", min_length=1
    )
    regions: Regions = Field(description="Who the regions are and where. ｜ 研究区域及其边界。")
    groups: dict[str, Group] = Field(
        default_factory=dict, description="Agglomerations or other groups of regions. ｜ 城市群或其他区域组合。"
    )
    inputs: list[Annotated[InputFile, BeforeValidator(_input)]] = Field(
        default_factory=list,
        description="Tables of areas, fuels, cement, population, or an inventory of emissions. ｜ 用地面积、燃料、水泥、人口数据表，或排放清单。",
    )
    land_cover: LandCover | None = Field(None, description="Land areas from rasters. ｜ 由栅格得到的用地面积。")
    land_classes: dict[str, str | None] = Field(
        default_factory=dict,
        description="The inputs' own class → the method's; null leaves it out by name. ｜ 输入地类 → 方法地类；null 表示明确不计入。",
    )
    fill: dict[str, Fill] = Field(
        default_factory=dict, description="Variable → how missing years are filled. ｜ 变量 → 缺失年份如何填补。"
    )
    coefficients: Coefficients = Field(
        default_factory=Coefficients, description="Which rates and factors. ｜ 选用的系数集。"
    )
    spatial: Spatial = Field(
        default_factory=Spatial, description="Weights and tests of spatial pattern. ｜ 空间权重与空间格局检验。"
    )
    outlook: Outlook | None = Field(None, description="Extrapolation to a target year. ｜ 外推到目标年。")
    ecological_land: EcologicalLand = Field(
        default_factory=EcologicalLand, description="Land that restores balance. ｜ 恢复平衡所需的生态用地。"
    )
    scenarios: dict[str, Scenario] = Field(
        default_factory=dict, description="Other courses to the target year. ｜ 目标年的其他情景。"
    )
    compensation: Compensation = Field(
        default_factory=Compensation, description="Compensation between regions. ｜ 跨区补偿。"
    )
    uncertainty: Uncertainty | None = Field(
        None, description="Intervals, probabilities and sensitivity. ｜ 不确定性与敏感性分析。"
    )
    fuel_heat: Literal["net heat", "gross heat"] | None = Field(
        None,
        description="Heat basis of fuels that the inputs give as heat. ｜ 以热量计的燃料的热值口径（低位 net、高位 gross）。",
    )
    seed: int = Field(0, ge=0, description="Seed of everything random. ｜ 随机过程的种子。")
    languages: list[Language] = Field(["en", "zh"], min_length=1, description="Languages of the report. ｜ 报告语言。")

    @field_validator("years")
    @classmethod
    def _increasing(cls, value: list[int]) -> list[int]:
        if value != sorted(set(value)):
            raise ValueError("years in increasing order, each once ｜ 递增且不重复的年份")
        return value


def read_study(file: Path) -> tuple[Study, StudySource]:
    """The study of ``file`` and its source, for places. Raises E101–E108, all findings at once."""
    source = read_source(file)
    problems = Problems()
    try:
        study = Study.model_validate(_plain(source.content))
    except ValueError as error:
        add_validation_problems(problems, source, error, Study)  # type: ignore[arg-type]
        problems.raise_errors()
        raise
    source.missing_files(problems, [(path, file.parent / name) for path, name in named_files(study)])
    problems.raise_errors()
    return study, source


def named_files(study: Study) -> list[tuple[KeyPath, Path]]:
    """Every file that the study names, with its key."""
    files: list[tuple[KeyPath, Path]] = [(("inputs", i), item.file) for i, item in enumerate(study.inputs)]
    if study.regions.table not in BUILTIN_REGIONS:
        files.append((("regions", "table"), Path(study.regions.table)))
    if study.regions.boundary:
        files.append((("regions", "boundary", "file"), study.regions.boundary.file))
    if study.spatial.weights.file:
        files.append((("spatial", "weights", "file"), study.spatial.weights.file))
    if study.outlook:
        files += [(("outlook", "inputs", i), item.file) for i, item in enumerate(study.outlook.inputs)]
    for year, rasters in (study.land_cover.rasters if study.land_cover else {}).items():
        several: Sequence[Path] = rasters if isinstance(rasters, list) else [rasters]
        files += [(("land_cover", "rasters", year), raster) for raster in several]
    return files


def json_schema() -> dict[str, Any]:
    """The JSON schema of the study file, for completion in editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema(mode="validation")}


def _plain(node: Any) -> Any:
    """ruamel's containers as plain ones."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return node
