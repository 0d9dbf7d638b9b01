from __future__ import annotations

import time

import pytest

from backproof.errors import LimitError
from backproof.web.worker import Worker


@pytest.mark.slow
def test_a_question_that_takes_too_long_is_stopped_and_the_next_one_is_answered() -> None:
    worker = Worker()
    try:
        worker.start()
        assert worker.ask("claim", {}, "a - y", explained=False, limit=60)["verdicts"] == ["proved"]
        before = time.monotonic()
        with pytest.raises(LimitError):
            worker.ask("claim", {}, "(a-y)*a*(1-a)", explained=True, limit=0.0)
        assert time.monotonic() - before < 10
        assert worker.ask("claim", {}, "a - y", explained=False, limit=60)["verdicts"] == ["proved"]
        assert "failed" in worker.ask("no such question", limit=60)
    finally:
        worker.stop()
