"""`backproof explore`: the explorer in a browser, on this machine only."""

from __future__ import annotations

import argparse
from typing import Final

from backproof.cli.parsing import CommandParser
from backproof.errors import UsageError

EXAMPLES: Final = """\
  backproof explore
  backproof explore --port 8123
"""
USUAL_PORT: Final = 8642


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
    from backproof.web.worker import Worker

    # The worker that answers the first page imports its modules while this process imports the server's.
    worker = Worker()
    worker.start()
    try:
        from backproof.web.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(f"the explorer needs the package {error.name}", next="pip install 'backproof[web]'") from None
    serve(int(options.port), worker, json=options.json)
    return 0
