"""Who may ask the explorer, and that nothing asked can bring it down."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import socket
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from web.serving import explorer

from backproof.web.server import LONGEST_BODY, Explorer, application

PORT = 8000
OWN = {"host": f"127.0.0.1:{PORT}"}


def ask(
    path: str, headers: dict[str, str], *, method: str = "GET", body: bytes = b"", running: Explorer | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request to the application itself, without a network."""
    sent: list[Any] = []
    plain, _, query = path.partition("?")

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode("latin-1")) for k, v in headers.items()],
        "scheme": "http",
        "server": ("127.0.0.1", PORT),
        "client": ("127.0.0.1", 5),
        "root_path": "",
    }
    asyncio.run(application(PORT, running)(scope, receive, send))  # type: ignore[arg-type]
    start = sent[0]
    found = {k.decode(): v.decode() for k, v in start["headers"]}
    return start["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": f"evil.example:{PORT}"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
        ({}, 421),
        ({**OWN, "origin": "https://evil.example"}, 403),
        ({**OWN, "origin": "null"}, 403),
        ({**OWN, "origin": f"https://127.0.0.1:{PORT}"}, 403),
        ({**OWN, "origin": f"http://localhost:{PORT}"}, 403),
        ({**OWN, "sec-fetch-site": "cross-site"}, 403),
        ({**OWN, "sec-fetch-site": "same-site"}, 403),
    ],
)
def test_others_may_not_ask(headers: dict[str, str], status: int) -> None:
    for path in ("/api/network", "/api/claim", "/api/train", "/api/copy", "/api/curves"):
        assert ask(path, headers)[0] == status


def test_a_long_address_is_refused() -> None:
    assert ask("/api/network?" + "a" * 9_000, OWN)[0] == 414


def test_a_long_body_is_refused() -> None:
    status, _, body = ask("/api/claim", OWN, method="POST", body=b"x" * (LONGEST_BODY + 1))
    assert status == 400
    assert "too long" in json.loads(body)["failed"]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 100_000, b"nul"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    assert ask("/api/document", OWN, method="POST", body=body)[0] == 400


@pytest.mark.parametrize("path", ["/../pyproject.toml", "/etc/passwd", "/%2e%2e/x", "/static/page.css", "/api"])
def test_no_file_is_served(path: str) -> None:
    assert ask(path, OWN)[0] == 404


def test_the_own_page_is_answered_and_keeps_to_itself() -> None:
    running = Explorer()
    try:
        status, headers, body = ask("/?output=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", OWN, running=running)
        assert status == 200
        assert b"<script>alert" not in body
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        origin = {**OWN, "origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"}
        data = json.dumps({"claim": "a - y"}).encode()
        status, _, body = ask("/api/claim", origin, method="POST", body=data, running=running)
        assert (status, json.loads(body)["verdicts"]) == (200, ["proved"])
    finally:
        running.quick.stop()
        running.slow.stop()


def memory(process: int) -> int:
    """The resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096


HOSTILE = (
    "__import__('os').system('id')", "a" * 3_900, "(" * 2_000, "{" * 2_000, "\\frac" * 500, "9" * 3_000 + "^9^9^9",
    "a" + "^2" * 900, "\x00\x1b[2J", "𝕒𝕓" * 900, "sum_k " * 400 + "a", "a = " * 800, "d/dz " * 600,
    "\\input{/etc/passwd}",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_thousand_hostile_requests_leave_it_up() -> None:
    rng = random.Random(1)
    with explorer() as served:
        line = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        before, answered = None, 0
        for count in range(10_000):
            kind = rng.random()
            try:
                if kind < 0.1:
                    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as raw:
                        raw.sendall(rng.randbytes(rng.randrange(400)) + b"\r\n\r\n")
                elif kind < 0.45:
                    path = rng.choice(["network?x=", "copy?form=", "curves?layers=n-h-k&layer=", "copy?layers=", ".?"])
                    line.request("GET", f"/api/{path}" + "%41" * rng.randrange(2_600))
                elif kind < 0.6:
                    line.request("GET", "/" + "../" * rng.randrange(9) + "etc/passwd", headers={"Host": "evil.example"})
                elif kind < 0.8:
                    line.request("POST", "/api/claim", b"x" * rng.randrange(2_000), {"Origin": "http://evil.example"})
                elif kind < 0.95:
                    line.request("POST", "/api/document", rng.randbytes(rng.randrange(2_000)))
                else:
                    claim = json.dumps(
                        {"claim": rng.choice(HOSTILE), "output": rng.choice(["sigmoid", "softmax", "<"])}
                    )
                    line.request("POST", "/api/claim", claim.encode())
                if kind >= 0.1:
                    answer = line.getresponse()
                    assert answer.status in {200, 400, 403, 404, 414, 421}
                    assert b"root:" not in answer.read()
                    answered += 1
            except (http.client.HTTPException, ConnectionError):
                line.close()
            if count == 1_000:
                before = memory(served.process.pid)
        assert served.process.poll() is None
        assert answered > 8_000
        assert before is not None
        assert memory(served.process.pid) < before + 50 * 2**20
        line.close()
        line.request("POST", "/api/claim", b'{"claim": "a - y"}')
        assert json.loads(line.getresponse().read())["verdicts"] == ["proved"]
        line.close()
