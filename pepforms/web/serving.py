"""Serving: waitress on this computer's own address, and no other until people can sign in."""

import click

from pepforms.errors import Misconfigured
from pepforms.web.application import HOSTS, create_app
from pepforms.wiring import Wiring

THREADS = 4
"""Requests answered at once; what is slow runs in the engines' own processes."""


def serve(wiring: Wiring, host: str, port: int) -> None:
    """Serve until stopped; Misconfigured for an address that others could reach, or one that is taken."""
    import waitress

    if host not in HOSTS:
        raise Misconfigured(
            f"Nobody signs in here yet, so it is served on this computer alone: use 127.0.0.1, not {host}.",
            slug="not-loopback",
        )
    _ = wiring.converter
    _ = wiring.profile, wiring.trust  # a fault in the settings is told now, not to the first visitor
    try:
        server = waitress.create_server(create_app(wiring), host=host, port=port, threads=THREADS, ident="pepforms")
    except OSError as error:
        raise Misconfigured(
            f"Port {port} cannot be used; another program may hold it. Choose another with --port.", slug="port-taken"
        ) from error
    with wiring.worker():  # batches go on while the pages are served
        click.echo(f"Open http://{host}:{port}/ in a browser on this computer. Stop with Ctrl+C.", err=True)
        server.run()
