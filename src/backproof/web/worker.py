"""Workers: processes that answer one question after the other and are stopped when one takes too long."""

from __future__ import annotations

import multiprocessing
import threading
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, Final

from backproof.errors import LimitError

MEMORY: Final = 3 * 2**30
_SPAWN: Final = multiprocessing.get_context("spawn")


class Worker:
    """One process that answers questions; a new one takes its place when it was stopped or has failed."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None

    def start(self) -> None:
        """Start the process, so that the first question finds it warm."""
        with self._turn:
            self._started()

    def ask(self, name: str, *arguments: Any, limit: float, **options: Any) -> dict[str, Any]:
        """The answer to a question. Raises LimitError after `limit` seconds, or when the process died of it."""
        with self._turn:
            line = self._started()
            try:
                line.send((name, arguments, options))
                if line.poll(limit):
                    answer: dict[str, Any] = line.recv()
                    return answer
            except (EOFError, OSError):
                self._stopped()
                raise LimitError("the computation was too large", next="ask for something smaller") from None
            self._stopped()
            raise LimitError(f"no answer within {limit:g} seconds", next="ask for something smaller")

    def stop(self) -> None:
        """End the process, also in the middle of a question."""
        process = self._process
        if process is not None:
            process.kill()
            process.join(5)

    def _started(self) -> Connection:
        if self._line is None or self._process is None or not self._process.is_alive():
            here, there = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_serve, args=(there,), daemon=True)
            self._process.start()
            there.close()
            self._line = here
        return self._line

    def _stopped(self) -> None:
        self.stop()
        if self._line is not None:
            self._line.close()
        self._process = self._line = None


def limit_memory() -> None:
    """Keep the memory of this process within bounds, where the system can."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _serve(line: Connection) -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_memory()
    from backproof.web.answers import ANSWERS

    while True:
        try:
            name, arguments, options = line.recv()
        except (EOFError, OSError):
            return
        try:
            answer = ANSWERS[name](*arguments, **options)
        except Exception as error:  # noqa: BLE001
            # A bug becomes an answer of its own kind, never a verdict, and the worker goes on.
            answer = {"failed": type(error).__name__}
        line.send(answer)
