"""The command line: `pepforms validate`, `render`, `archive`, `verify` and the rest.

Results go to standard output; messages and progress bars to standard error, bars only on a terminal.
"""

import io
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from pepforms import __version__, files, many, settings
from pepforms.cli import (
    batch,
    caseload,
    checking,
    deliver,
    documents,
    register,
    service,
    stamping,
    templates,
    verification,
)
from pepforms.cli.options import WIDTH
from pepforms.errors import PepformsError, bug
from pepforms.wiring import Wiring


def main() -> NoReturn:
    """The console script: no traceback reaches a user, and the exit code says who must act."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a Latin-1 terminal cannot show is escaped, not a failure
            stream.reconfigure(errors="backslashreplace")
    try:
        code = commands.main(standalone_mode=False) or 0
    except click.UsageError as error:
        error.show()
        code = 64
    except click.Abort:
        code = 130
    except PepformsError as error:
        many.Failures().add("-", error)
        code = error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:  # standard output on a full disk, above all
        told = files.in_words(Path("The output"), error)
        click.echo(str(told), err=True)
        code = told.exit_code
    except Exception as error:  # noqa: BLE001  no traceback reaches a user
        told = bug(error)
        click.echo(str(told), err=True)
        code = told.exit_code
    sys.exit(_flushed(int(code)))


def _flushed(code: int) -> int:
    """Standard output written to its end; a full disk shows only here."""
    if sys.stdout is None:  # closed before we began
        return code
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo("The output could not be written: the disk is full.", err=True)
        return 75
    return code


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.version_option(__version__, prog_name="pepforms")
@click.pass_context
def commands(context: click.Context) -> None:
    """Personal Education Plans: checked, filled into Word, made into archival PDFs, stamped and sealed.

    PATH is a PEP as JSON, a .jsonl file of many, a folder of both, or - for standard input.
    """
    context.obj = Wiring(settings.load())


for _module in (
    checking, documents, stamping, verification, templates, register, batch, caseload, deliver, service
):  # fmt: skip
    for _command in _module.COMMANDS:
        commands.add_command(_command)
