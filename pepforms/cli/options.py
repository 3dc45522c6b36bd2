"""What several commands take, and how they tell their results."""

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from pepforms import many

WIDTH = 100
"""Columns that help and tables are set in."""

paths_argument = click.argument("paths", nargs=-1, required=True, metavar="PATH…")
out_option = click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
force_option = click.option("--force", is_flag=True, help="Write over a file that is there and differs.")
by_option = click.option(
    "--by",
    type=click.Choice(["social-worker", "team"]),
    help="Also part the records of DIR, a folder with its covering list for each social worker or team.",
)
released_by_option = click.option(
    "--released-by",
    metavar="NAME",
    help="Who has made sure that it may be made, where the weekly list speaks against it.",
)
format_option = click.option(
    "--format", "as_format", type=click.Choice(["text", "json"]), default="text", help="How to print the results."
)


def user() -> str:
    """Who works here, as the audit names them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"


term_option = click.option("--term", metavar="TERM", help="Of this term alone, such as 2026-27/autumn.")
who_option = click.option("--by", default=user, metavar="NAME", help="Who does it, for the audit; else your user name.")


def say_json(value: Any) -> None:
    """Print a JSON document; where the output cannot hold every character, with those escaped."""
    holds_all = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    many.say(json.dumps(value, ensure_ascii=not holds_all, indent=2))


class Results:
    """The results of one command: told one by one as text, or together as one JSON document, an entry a source."""

    def __init__(self, as_format: str) -> None:
        self.failures = many.Failures()
        self._as_json = as_format == "json"
        self._entries: list[dict[str, Any]] = []

    def add(self, entry: dict[str, Any], text: str = "") -> None:
        """One entry, and the same as a person reads it."""
        if self._as_json:
            self._entries.append(entry)
        elif text:
            many.say(text)

    def done(self) -> int:
        """Print the document where JSON is wanted; the exit code."""
        if self._as_json:
            say_json({"results": self._entries})
        return self.failures.exit_code
