"""What a build needs beyond the files that git knows: the fonts, fetched at set-up."""

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FONTS = Path("pepforms/fonts")


class FontsPresent(BuildHookInterface[Any]):
    """Refuses to make a wheel or source archive without every font that `package.json` pins, and its licence."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Run before the build; an editable install is left alone, as it comes before the fonts."""
        root = Path(self.root)
        if version == "editable" or not (root / "package.json").exists():
            return
        packages = json.loads((root / "package.json").read_text("utf-8"))["dependencies"]
        families = [name.rpartition("/")[2] for name in packages if name.startswith("@expo-google-fonts/")]
        needed = [FONTS / name for family in families for name in (f"{stem(family)}_400Regular.ttf", f"OFL-{family}.txt")]
        if missing := [path.name for path in needed if not (root / path).is_file()]:
            raise SystemExit(f"No build without its fonts: {FONTS} lacks {', '.join(missing)}. Run `make setup` first.")


def stem(family: str) -> str:
    """`noto-sans-symbols-2` as its font files are named: `NotoSansSymbols2`."""
    return "".join(word.capitalize() for word in family.split("-"))
