"""Commands about this installation: `doctor`, `demo`, `serve`."""

from pathlib import Path

import click

from pepforms import report
from pepforms.wiring import Wiring


@click.command()
@click.pass_obj
def doctor(wiring: Wiring) -> int:
    """Say what is set up, what is not, and what to do about it.

    Example: pepforms doctor
    """
    healthy, text = report.doctor(wiring)
    click.echo(text)
    return 0 if healthy else 78


@click.command()
@click.option("--out", default="out", type=click.Path(path_type=Path), metavar="DIR", help="Output folder.")
@click.pass_obj
def demo(wiring: Wiring, out: Path) -> int:
    """Run the main job on the samples.

    Word and PDF of each, a sealed record of each that is signed off; then the end of a term, with fifty PEPs in a
    register, from the batch of copies to the last confirmation. Then it says what to open.

    Example: pepforms demo --out out
    """
    from pepforms import demonstration

    return demonstration.run(wiring, out)


@click.command()
@click.option("--host", default="127.0.0.1", help="The address to listen on; only 127.0.0.1 for now.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.pass_obj
def serve(wiring: Wiring, host: str, port: int) -> None:
    """Serve the page and the HTTP API on this computer.

    Example: pepforms serve --port 8000
    """
    from pepforms.web import serving

    serving.serve(wiring, host, port)


COMMANDS = (doctor, demo, serve)
