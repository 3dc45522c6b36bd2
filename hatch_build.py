"""What a build needs beyond the package: the fonts, fetched at set-up, and the folders that an authority edits."""

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("templates", "schemas", "samples")
FONTS = Path("pepforms/fonts")


class Carried(BuildHookInterface[Any]):
    """Puts the folders into the wheel as `pepforms/data`, and refuses to build without every font and its licence."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before a build. An editable install has the folders beside it, and comes before the fonts."""
        if version == "editable":
            return
        root = Path(self.root)
        packages = json.loads((root / "package.json").read_text("utf-8"))["dependencies"]
        families = [name.rpartition("/")[2] for name in packages if name.startswith("@expo-google-fonts/")]
        files = [name for family in families for name in (f"{stem(family)}_400Regular.ttf", f"OFL-{family}.txt")]
        there = {file.name.lower() for file in (root / FONTS).glob("*")}
        if missing := [name for name in files if name.lower() not in there]:
            raise SystemExit(f"No build without its fonts: {FONTS} lacks {', '.join(missing)}. Run `make setup` first.")
        if self.target_name == "wheel":
            build_data["force_include"] |= {str(root / name): f"pepforms/data/{name}" for name in FOLDERS}


def stem(family: str) -> str:
    """`noto-sans-symbols-2` as its font files are named, but for capitals: `NotoSansSymbols2`."""
    return "".join(word.capitalize() for word in family.split("-"))
