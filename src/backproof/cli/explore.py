"""`backproof explore`: the explorer in a browser, on this machine only."""

from __future__ import annotations

import argparse
import socket
from importlib.util import find_spec
from typing import Final

from backproof.cli.parsing import CommandParser
from backproof.errors import FileError, UsageError

EXAMPLES: Final = """\
  backproof explore
  backproof explore --port 8123
"""
USUAL_PORT: Final = 8642
NEEDED: Final = ("starlette", "uvicorn")


def configure(parser: CommandParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "--port", metavar="N", default=str(USUAL_PORT), help=f"the port on 127.0.0.1; 0 takes a free one ({USUAL_PORT})"
    )
    parser.add_argument("--json", action="store_true", help="say the address as JSON")


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted."""
    if not (options.port.isdigit() and int(options.port) < 65536):
        raise UsageError("this is no port", expected="a number below 65536", got=options.port)
    for package in NEEDED:
        if find_spec(package) is None:
            raise UsageError(f"the explorer needs the package {package}", next="pip install 'backproof[web]'")
    listener = _listening(int(options.port))
    from backproof.web.worker import Worker

    # The worker that answers the first page imports its modules while this process imports the server's; who reads
    # the address may ask at once, and waits until the server takes what has arrived at the port.
    worker = Worker()
    worker.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    shown = f'{{"address": "{address}"}}' if options.json else f"backproof explorer: {address}   (stop it with Ctrl+C)"
    print(shown, flush=True)
    from backproof.web.server import serve

    serve(listener, worker)
    return 0


def _listening(port: int) -> socket.socket:
    """The port, listening. Raises FileError where it cannot be had."""
    # With its protocol named, asyncio sends small answers at once; without it, each waits 40 ms for the last one's ACK.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise FileError(f"port {port} cannot be used: {error.strerror}", next="choose another with --port") from None
    return listener
