"""Kernel: runs Coq on a file and says what Coq's kernel said, with the axioms that the proofs use.

A derivation is called checked only when coqc accepts the whole file and its proofs use nothing beyond the four
standard axioms of Coq's real numbers. The library is compiled once, into the user's cache folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from backproof.errors import FileError

ALLOWED_AXIOMS: Final = frozenset(
    {"sig_not_dec", "sig_forall_dec", "functional_extensionality_dep", "classic"}
)  # ClassicalDedekindReals, FunctionalExtensionality and Classical_Prop: Coq's real numbers stand on these
FORBIDDEN: Final = re.compile(r"\b(Admitted|Axiom|Axioms|Parameter|Parameters|Conjecture|admit|give_up|bypass_check)\b")
HOW_TO_INSTALL: Final = (
    "install Coq with Coquelicot: `apt install coq libcoq-coquelicot` (Debian, Ubuntu), "
    "or `opam install coq coq-coquelicot`"
)
MEMORY_LIMIT: Final = 6 << 30
DEFAULT_LIMIT: Final = 120.0
_REQUIRED: Final = re.compile(r"From Backproof Require (?:Import|Export)\s+([^.]*)\.")

Status = Literal["accepted", "rejected", "too long", "not installed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Coq said of a file: the axioms of its proofs, and a message where it was not accepted."""

    status: Status
    axioms: tuple[str, ...] = ()
    seconds: float = 0.0
    message: str = ""
    place: int | None = None
    times: tuple[tuple[int, float], ...] = ()
    """Where each sentence begins, in bytes, and how long Coq took for it; only where it was asked to say so."""

    @property
    def accepted(self) -> bool:
        """Whether Coq's kernel accepted every proof, with the standard axioms of the real numbers only."""
        return self.status == "accepted"


def coqc() -> str | None:
    """Where the Coq compiler is, if it is installed."""
    return shutil.which("coqc")


def version() -> str | None:
    """Coq's version, or None without Coq."""
    program = coqc()
    if program is None:
        return None
    said = _printed_version(program)
    return said.split()[0] if said else None


def _printed_version(program: str) -> str:
    """What coqc says of its version. Raises FileError for one that cannot be run or does not answer."""
    try:
        out = subprocess.run(
            [program, "--print-version"], capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FileError(
            "coqc is there, but does not work",
            got=f"{program}: {'no answer' if isinstance(error, subprocess.TimeoutExpired) else error.strerror}",
            next=HOW_TO_INSTALL,
        ) from None
    return out.stdout.strip()


def library_folder() -> Path:
    """The folder of the library's sources: inside the installed package, or `proofs/` beside a checkout."""
    installed = Path(__file__).parent / "library"
    checkout = Path(__file__).parents[3] / "proofs"
    for folder in (installed, checkout):
        if (folder / "Rules.v").is_file():
            return folder
    raise FileError("the Coq library of backproof is missing", expected=str(installed), next="install backproof again")


def check(
    text: str,
    limit: float = DEFAULT_LIMIT,
    *,
    beside: Path | None = None,
    keep: str | None = None,
    timed: bool = False,
) -> Answer:
    """Let Coq check a file. `limit` is in seconds, the compilation of the library not counted.

    With `keep`, the compiled file stays in the folder `beside` under this name, and later files there may require it
    (`From Statements Require Import …`). With `timed`, the answer says how long each sentence took.
    """
    if (hit := FORBIDDEN.search(_without_comments(text))) is not None:
        return Answer("rejected", message=f"the file uses {hit.group(1)}: it would not be a proof")
    program = coqc()
    if program is None:
        return Answer("not installed", message=HOW_TO_INSTALL)
    compiled = compiled_library(program, required(text))
    if isinstance(compiled, Answer):
        return compiled
    with tempfile.TemporaryDirectory(prefix="backproof-") as folder:
        home = beside or Path(folder)
        file = home / f"{keep or 'derivation'}.v"
        file.write_text(text, encoding="utf-8", newline="\n")
        return _answer(_run(program, file, compiled, limit, ("-time",) if timed else ()))


def _without_comments(text: str) -> str:
    """Coq text without its comments, which nest."""
    kept: list[str] = []
    depth = 0
    for piece in re.split(r"(\(\*|\*\))", text):
        if piece == "(*":
            depth += 1
        elif piece == "*)" and depth:
            depth -= 1
        elif not depth:
            kept.append(piece)
    return " ".join(kept)


@dataclass(frozen=True, slots=True)
class _Run:
    code: int | None
    output: str
    errors: str
    seconds: float


def _command(program: str, file: Path, library: Path, options: Sequence[str]) -> list[str]:
    beside = [] if file.parent == library else ["-Q", str(file.parent), "Statements"]
    return [program, "-q", "-w", "-all", *options, "-Q", str(library), "Backproof", *beside, str(file)]


def _run(program: str, file: Path, library: Path, limit: float, options: Sequence[str]) -> _Run:
    begin = time.monotonic()
    process = _start(program, file, library, options)
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        _end(process)
        return _Run(None, "", "", time.monotonic() - begin)
    except BaseException:
        _end(process)
        raise
    return _Run(process.returncode, output, errors, time.monotonic() - begin)


def _start(program: str, file: Path, library: Path, options: Sequence[str] = ()) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        _command(program, file, library, options),
        cwd=file.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    return process


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _answer(run: _Run) -> Answer:
    if run.code is None:
        return Answer("too long", seconds=run.seconds, message=f"Coq was stopped after {run.seconds:.0f} s")
    if run.code != 0:
        where = re.search(r'File "[^"]*", line (\d+)', run.errors)
        message = re.sub(r'File "[^"]*", line \d+, characters [\d-]+:\s*', "", run.errors).strip()
        if "Coquelicot" in message and "physical path" in message:
            return Answer("not installed", seconds=run.seconds, message=HOW_TO_INSTALL)
        message = message[:2000] or f"coqc ended with code {run.code} and said nothing"
        return Answer("rejected", seconds=run.seconds, message=message, place=int(where.group(1)) if where else None)
    axioms = assumptions(run.output)
    strange = sorted(a for a in axioms if a.rpartition(".")[2] not in ALLOWED_AXIOMS)
    if strange:
        return Answer(
            "rejected", axioms, run.seconds, "the proofs use axioms that are not allowed: " + ", ".join(strange)
        )
    if not axioms and "Closed under the global context" not in run.output:
        return Answer("rejected", (), run.seconds, "the file does not print the axioms of its proofs")
    return Answer("accepted", axioms, run.seconds, times=_times(run.output))


def _times(output: str) -> tuple[tuple[int, float], ...]:
    """What `coqc -time` printed: `Chars 40 - 64 [Lemma~x…] 0.012 secs (…)`."""
    found = re.findall(r"^Chars (\d+) - \d+ \[.*\] (\d+\.\d*) secs", output, re.MULTILINE)
    return tuple((int(start), float(seconds)) for start, seconds in found)


def assumptions(output: str) -> tuple[str, ...]:
    """The axioms in what `Print Assumptions` printed.

    >>> assumptions("Axioms:\\nClassical_Prop.classic : forall P : Prop, P \\\\/ ~ P\\n")
    ('Classical_Prop.classic',)
    """
    found: dict[str, None] = {}
    inside = False
    for line in output.splitlines():
        if line.startswith("Axioms:"):
            inside = True
        elif inside and (match := re.match(r"([A-Za-z_][\w.']*)\s*(:|$)", line)) is not None:
            found[match.group(1)] = None
        elif inside and not line.startswith(" "):
            inside = False
    return tuple(sorted(found))


# The library


def cache_folder(program: str) -> Path:
    """Where the compiled library of this Coq and these sources belongs."""
    digest = hashlib.sha256()
    digest.update(_printed_version(program).encode())
    for source in sorted(library_folder().glob("*.v")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "backproof" / "coq" / digest.hexdigest()[:20]


def dependencies(module: str) -> tuple[str, ...]:
    """The modules of the library that a module requires."""
    source = library_folder() / f"{module}.v"
    if not source.is_file():
        raise FileError(f"the Coq library has no module {module}", expected=str(source))
    return required(source.read_text(encoding="utf-8"))


def required(text: str) -> tuple[str, ...]:
    """The modules of the library that a file requires.

    >>> required("From Backproof Require Import Rules Sums.")
    ('Rules', 'Sums')
    """
    return tuple(m for names in _REQUIRED.findall(_without_comments(text)) for m in names.split())


def closure(modules: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The modules with all that they require, each with its direct requirements."""
    found: dict[str, tuple[str, ...]] = {}
    stack = list(modules)
    while stack:
        module = stack.pop()
        if module not in found:
            found[module] = dependencies(module)
            stack.extend(found[module])
    return found


def compiled_library(program: str, modules: Sequence[str]) -> Path | Answer:
    """The folder with the compiled modules; compiles what is missing, two at a time."""
    needed = closure(modules)
    try:
        folder = cache_folder(program)
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder):
            missing = {m for m in needed if not (folder / f"{m}.vo").is_file()}
            # A module that was compiled against an older neighbour is compiled again.
            while more := {m for m, d in needed.items() if m not in missing and missing.intersection(d)}:
                missing |= more
            return _compile(program, {m: needed[m] for m in needed if m in missing}, folder) or folder
    except OSError as error:
        raise FileError(
            "the compiled Coq library cannot be kept", got=str(error), next="set XDG_CACHE_HOME to a folder of yours"
        ) from None


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None]:
    with (folder / "lock").open("w") as lock:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(program: str, missing: dict[str, tuple[str, ...]], folder: Path) -> Answer | None:
    """Compile the modules in order, up to two at a time; an answer where one cannot be compiled."""
    running: dict[str, subprocess.Popen[str]] = {}
    done: set[str] = set()
    workers = max(1, min(4, os.cpu_count() or 1))
    try:
        while len(done) < len(missing):
            for module, needs in missing.items():
                ready = all(n in done or n not in missing for n in needs)
                if len(running) < workers and ready and module not in done and module not in running:
                    source = folder / f"{module}.v"
                    shutil.copyfile(library_folder() / f"{module}.v", source)
                    running[module] = _start(program, source, folder)
            module, process = next(iter(running.items()))
            output, errors = process.communicate(timeout=DEFAULT_LIMIT)
            del running[module]
            if process.returncode != 0:
                (folder / f"{module}.vo").unlink(missing_ok=True)
                answer = _answer(_Run(process.returncode, output, errors, 0.0))
                if answer.status == "not installed":
                    return answer
                return Answer("rejected", message=f"the library's module {module} does not compile: {answer.message}")
            done.add(module)
    except subprocess.TimeoutExpired:
        return Answer("too long", message="the library could not be compiled in time")
    finally:
        for module, process in running.items():
            _end(process)
            (folder / f"{module}.vo").unlink(missing_ok=True)
    return None
