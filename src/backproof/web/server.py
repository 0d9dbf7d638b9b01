"""The explorer's server: one page, a few questions and a stream, on this machine only."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from backproof.errors import LimitError
from backproof.web.policy import policy
from backproof.web.worker import Worker, limit_memory

LONGEST_QUERY: Final = 8_000
LONGEST_BODY: Final = 512 * 1024
LONGEST_ANSWER: Final = 20.0
LONGEST_TRAINING: Final = 120.0
MOST_WAITING: Final = 12
MOST_TRAINING: Final = 2
PACE: Final = 0.015
"""Seconds between two pictures of a training, so that an eye can follow and a hand can stop it."""
LONGEST_NAME: Final = 60
TRAINED: Final = (("other", "half-mse"), ("start", "usual"))
"""What a training is asked besides the network, with what is usual."""
HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_SPAWN: Final = multiprocessing.get_context("spawn")


class Guard:
    """Lets requests of this machine's own page through, and nothing else: no foreign host, origin or site."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = frozenset((*(f"{host}:{port}" for host in HOSTS), *(HOSTS if port == 80 else ())))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 4xx, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refused = self.refusal(scope)
        if refused is None:
            await self.app(scope, receive, send)
        else:
            status, why = refused
            await PlainTextResponse(why + "\n", status, headers={"Connection": "close"})(scope, receive, send)

    def refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why a request is refused, with its status; None where it is not."""
        found: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = found.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 421, "this address is not served here"
        for origin in found.get("origin", []):
            if (
                origin != "null"
                and urlsplit(origin).netloc.lower() == hosts[0].lower()
                and origin.startswith("http://")
            ):
                continue
            return 403, "another site may not ask here"
        navigation = scope["path"] == "/"
        site = found.get("sec-fetch-site", ["none"])[0]
        if site not in ("same-origin", "none") and not (navigation and scope["method"] == "GET"):
            return 403, "another site may not ask here"
        if len(scope.get("query_string", b"")) > LONGEST_QUERY:
            return 414, "the address is too long"
        return None


class Explorer:
    """The routes, and the workers behind them."""

    def __init__(self, quick: Worker | None = None) -> None:
        self.quick, self.slow = quick or Worker(), Worker()
        self.waiting = 0
        self.training = 0

    @asynccontextmanager
    async def life(self, _app: Starlette) -> AsyncGenerator[None]:
        """The workers start with the server and end with it."""
        later = threading.Timer(1.5, self.slow.start)
        later.start()
        try:
            yield
        finally:
            later.cancel()
            self.quick.stop()
            self.slow.stop()

    def routes(self) -> list[Route]:
        """Every address."""
        return [
            Route("/", self.index),
            Route("/api/network", self.network),
            Route("/api/curves", self.curves),
            Route("/api/copy", self.copy),
            Route("/api/claim", self.claim, methods=["POST"]),
            Route("/api/document", self.document, methods=["POST"]),
            Route("/api/train", self.train),
        ]

    async def asked(self, worker: Worker, name: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """An answer of a worker, or why there is none."""
        if self.waiting >= MOST_WAITING:
            return {"failed": "too many questions at once; wait a moment"}
        self.waiting += 1
        try:
            call = partial(worker.ask, name, *arguments, limit=LONGEST_ANSWER, **options)
            return await anyio.to_thread.run_sync(call)
        except LimitError as error:
            return {"failed": error.what}
        finally:
            self.waiting -= 1

    async def index(self, request: Request) -> Response:
        """The page, with the network of the address already derived."""
        choice = _choice(request.query_params)
        answer = await self.asked(self.quick, "page", choice)
        if "page" not in answer:
            from backproof.web.shell import page

            answer["page"] = page(choice, answer)
        return HTMLResponse(answer["page"])

    async def network(self, request: Request) -> Response:
        """The lesson of a network."""
        return _json(await self.asked(self.quick, "network", _choice(request.query_params)))

    async def curves(self, request: Request) -> Response:
        """The curves of one hidden layer, or of the last one."""
        choice = _choice(request.query_params)
        return _json(await self.asked(self.quick, "curves", choice, choice.get("layer", "")))

    async def copy(self, request: Request) -> Response:
        """All equations of a network in a form to be copied."""
        choice = _choice(request.query_params)
        return _json(await self.asked(self.slow, "copy", choice, choice.get("form", "")))

    async def claim(self, request: Request) -> Response:
        """The verdict on a formula: quickly, and then with all that can be said about it."""
        data = await _body(request)
        if data is None:
            return _json({"failed": "the request is too long or no JSON"}, 400)
        explained = data.get("explained") is True
        worker = self.slow if explained else self.quick
        choice = _choice(data)
        return _json(await self.asked(worker, "claim", choice, str(data.get("claim", "")), explained=explained))

    async def document(self, request: Request) -> Response:
        """The verdicts of a document."""
        data = await _body(request)
        if data is None:
            return _json({"failed": "the request is too long or no JSON"}, 400)
        return _json(await self.asked(self.slow, "document", str(data.get("text", ""))))

    async def train(self, request: Request) -> Response:
        """A stream of what happens in training, which ends when its reader goes."""
        if self.training >= MOST_TRAINING:
            return PlainTextResponse("two trainings run already\n", 503)
        try:
            rate = min(100.0, max(1e-6, float(request.query_params.get("rate", "1"))))
        except ValueError:
            rate = 1.0
        events = self.events(_choice(request.query_params), rate)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def events(self, choice: Mapping[str, str], rate: float) -> AsyncIterator[str]:
        """The events of one training, computed by a process of its own."""
        self.training += 1
        here, there = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(target=_trained, args=(there, dict(choice), rate), daemon=True)
        try:
            with anyio.move_on_after(LONGEST_TRAINING):
                await anyio.to_thread.run_sync(process.start)
                there.close()
                while True:
                    while not here.poll():
                        if not process.is_alive() and not here.poll():
                            return
                        await anyio.sleep(0.02)
                    event = here.recv()
                    yield f"data: {json.dumps(event)}\n\n"
                    if event.get("done"):
                        return
                    await anyio.sleep(PACE)
        except EOFError:
            return
        finally:
            self.training -= 1
            if process.is_alive():
                process.kill()
            here.close()


def application(port: int, explorer: Explorer | None = None) -> ASGIApp:
    """The whole server as an ASGI application for one port."""
    explorer = explorer or Explorer()
    return Guard(_Headers(Starlette(routes=explorer.routes(), lifespan=explorer.life)), port)


class _Headers:
    """Puts on every answer what keeps it to itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", policy().encode("ascii")),
                    (b"x-content-type-options", b"nosniff"),
                    (b"x-frame-options", b"DENY"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                    (b"cross-origin-opener-policy", b"same-origin"),
                ]
            await send(message)

        await self.app(scope, receive, sent)


def _choice(given: Mapping[str, Any]) -> dict[str, str]:
    """The first twenty fields of a request as text."""
    return {str(name)[:40]: str(value)[:LONGEST_QUERY] for name, value in list(given.items())[:20]}


async def _body(request: Request) -> dict[str, Any] | None:
    """The JSON object of a request; None where it is too long or something else."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > LONGEST_BODY:
            return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _json(answer: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(answer, status, headers={"Cache-Control": "no-store"})


def _trained(line: Connection, choice: dict[str, str], rate: float) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory()
    from backproof.errors import BackproofError
    from backproof.web.answers import network_of
    from backproof.web.training import train

    try:
        other, start = (choice.get(name, usual)[:LONGEST_NAME] for name, usual in TRAINED)
        for event in train(network_of(choice), other, start, rate):
            line.send(event)
    except BackproofError as error:
        line.send({"failed": error.what})
    except OSError:
        return
    line.send({"done": True})


def serve(listener: socket.socket, quick: Worker) -> None:
    """Serve what arrives at a listening port until interrupted, `quick` answering the short questions."""
    import uvicorn

    config = uvicorn.Config(
        application(listener.getsockname()[1], Explorer(quick)),
        # A question that is still open when the server is stopped would be told as an error.
        log_level="critical",
        access_log=False,
        server_header=False,
        limit_concurrency=64,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=64 * 1024,
        ws="none",
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listener])
