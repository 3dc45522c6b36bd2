"""Copies the fonts that npm fetched, and their licences, to where pepforms looks for them: pepforms/fonts."""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOLD = {"noto-sans"}
"""Families whose bold is carried too; of the others an engine thickens the regular one."""


def main() -> None:
    """Copy one regular font of each fetched family."""
    target = ROOT / "pepforms" / "fonts"
    for stale in (*target.glob("*.ttf"), *target.glob("OFL-*.txt")):
        stale.unlink()
    families = sorted((ROOT / "node_modules" / "@expo-google-fonts").iterdir())
    for family in families:
        styles = ["400Regular", *(["700Bold"] if family.name in BOLD else [])]
        fonts = [font for style in styles for font in (family / style).glob("*.ttf")]
        if len(fonts) != len(styles):
            sys.exit(f"{family.name} does not hold the fonts {', '.join(styles)}: has the package changed its layout?")
        for font in fonts:
            shutil.copyfile(font, target / font.name)
        shutil.copyfile(family / "LICENSE_FONT", target / f"OFL-{family.name}.txt")
    print(f"{len(families)} font families in {target.relative_to(ROOT)}")


main()
