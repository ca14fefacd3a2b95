"""Build the Chinese face that figures are drawn with: a subset of Noto Sans SC Regular (SIL Open Font License 1.1).

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3
    tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz
    python tools/fonts/subset.py package

Kept: both levels of GB 2312 (6,763 characters and its punctuation), ASCII and Latin-1, the names of the built-in
region tables, and the signs that figures use; matplotlib's DejaVu Sans takes what is not here. Left out: hinting,
layout tables, vertical metrics. A subset is a modified version, so it gets a name of its own (the licence asks for that
only where a reserved name, here "Source", would be kept). The licence goes with it as OFL.txt.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[2]
FONTS = ROOT / "src" / "cobalance" / "report" / "fonts"
FAMILY = "Cobalance Sans SC"
SIGNS = "–—‘’“”…·×÷−±√∞≈≠≤≥°′″%‰φσμΣΔ²³⁻¹⁰₂₃①②③→←↑↓○●△▲□■◆☆★（）【】《》「」、。，；：？！￥"
STEMS = ("china_provinces", "us_states")


def gb2312() -> set[int]:
    """Every character of GB 2312, level 1 and 2 and its signs."""
    characters = set()
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                characters.add(ord(bytes((row, cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return characters


def wanted() -> set[int]:
    """The characters that the subset keeps."""
    tables = [ROOT / "src" / "cobalance" / "inputs" / f"{stem}.csv" for stem in STEMS]
    names = "".join(table.read_text(encoding="utf-8") for table in tables)
    return gb2312() | set(range(0x20, 0x7F)) | set(range(0xA0, 0x100)) | {ord(sign) for sign in SIGNS + names}


def build(package: Path) -> Path:
    """Write the subset and its licence into ``src/cobalance/report/fonts``."""
    options = subset.Options(
        layout_features=[],
        hinting=False,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        drop_tables=["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "STAT", "gasp", "meta"],
    )
    options.recalc_timestamp = False
    font = TTFont(package / "400Regular" / "NotoSansSC_400Regular.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted() - {0x0A, 0x0D})
    subsetter.subset(font)
    for record in font["name"].names:
        renamed = {1: FAMILY, 3: f"{FAMILY} subset", 4: FAMILY, 6: FAMILY.replace(" ", "")}.get(record.nameID)
        if renamed:
            record.string = renamed
    FONTS.mkdir(parents=True, exist_ok=True)
    target = FONTS / "CobalanceSansSC.ttf"
    font.save(target)
    shutil.copyfile(package / "LICENSE_FONT", FONTS / "OFL.txt")
    return target


if __name__ == "__main__":
    written = build(Path(sys.argv[1]))
    print(written.relative_to(ROOT), f"{written.stat().st_size:,} bytes")
