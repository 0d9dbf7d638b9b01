"""Kernels: a network's loss, gradient and outputs as functions of one vector of parameters.

The source of a kernel is a real file in the cache folder, named after its content, so that a debugger can step through
it and the compiler's work is kept for the next process. Without numba the same steps run in NumPy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.errors import FileError, ShapeError
from backproof.language.expression import Index, apply, sum_over, tensor
from backproof.language.program import Definition, Program
from backproof.run.array_source import array_source
from backproof.run.interface import Interface, Place, Precision
from backproof.run.lowering import lower, trained
from backproof.run.scheduling import schedule
from backproof.run.source import compiled_source, work_size
from backproof.run.stabilising import accurate

Array = NDArray[Any]
GENERATION: Final = 1  # part of every file's name: a new way of writing kernels never meets an old compilation


@dataclass
class Kernel:
    """A compiled function of the parameters and a batch.

    `parameters` say where each weight stands in the flat vector. `run` is the generated function itself.
    """

    network: Network
    interface: Interface
    run: Callable[..., float]
    epoch: Callable[..., int] | None
    path: Path
    per_example: int
    fixed: int
    _work: Array = field(default_factory=lambda: np.empty(0))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of all numbers."""
        return np.dtype(self.interface.precision)

    def work(self, examples: int) -> Array:
        """Memory for so many examples, allocated once."""
        needed = self.per_example * examples + self.fixed + 16
        if self._work.size < needed:
            self._work = np.empty(needed, self.dtype)
        return self._work

    def __call__(self, theta: Array, gradient: Array, *inputs: Array) -> float:
        """The loss at theta; the gradient is written into its vector."""
        return self.run(theta, gradient, self.work(len(inputs[0])), *inputs)


def parameters_of(network: Network) -> tuple[Place, ...]:
    """The weights and biases of a network in one flat vector, layer by layer."""
    places: list[Place] = []
    start = 0
    for layer in range(1, network.depth + 1):
        for name in (f"W({layer})", f"b({layer})"):
            place = Place(name, start, tuple(int(s) for s in network.program.inputs[name]))
            places.append(place)
            start += place.length
    return tuple(places)


def loss_kernel(
    network: Network,
    *,
    precision: Precision = "float32",
    weighted: bool = False,
    compiled: bool = True,
    numbers: Mapping[str, float] | None = None,
) -> Kernel:
    """The loss and the gradient of a network: kernel(theta, gradient, X, Y[, w])."""
    program = accurate(trained(network, weighted=weighted), network)
    places = parameters_of(network)
    wanted = ("J", *(adjoint_name("J", p.name) for p in places))
    inputs = ("X", "Y", "w") if weighted else ("X", "Y")
    interface = Interface(places, inputs, numbers_of(network, numbers), precision)
    return _kernel(network, program, wanted, interface, compiled=compiled)


def output_kernel(
    network: Network, *, precision: Precision = "float32", numbers: Mapping[str, float] | None = None
) -> Kernel:
    """The outputs of a network: kernel(theta, unused, X, A), written into A."""
    program = accurate(trained(network), network)
    last = f"A({network.depth})"
    interface = Interface(
        parameters_of(network), ("X",), numbers_of(network, numbers), precision, gradient=False, outputs=(last,)
    )
    return _kernel(network, program, (last,), interface, compiled=False)


def sizes_kernel(
    network: Network, *, precision: Precision = "float32", numbers: Mapping[str, float] | None = None
) -> Kernel:
    """The mean size of δ in every layer: kernel(theta, gradient, X, Y, sizes), one number for each layer."""
    program = accurate(trained(network), network)
    made: list[Definition] = []
    for layer in range(1, network.depth + 1):
        name = adjoint_name("J", f"Z({layer})")
        definition = program.by_name[name]
        i, s = (Index(letter, index.sort) for letter, index in zip("pq", definition.indices, strict=True))
        made.append(Definition(f"size{layer}", (), sum_over((i, s), apply("abs", tensor(name, i, s)))))
    whole = program.extended(made)
    interface = Interface(
        parameters_of(network), ("X", "Y"), numbers_of(network, numbers), precision, gradient=False,
        outputs=tuple(d.name for d in made),
    )  # fmt: skip
    return _kernel(network, whole, tuple(d.name for d in made), interface, compiled=False)


def numbers_of(network: Network, given: Mapping[str, float] | None) -> dict[str, float]:
    """The value of every hyperparameter: the usual ones, and what is given."""
    found: dict[str, float] = {}
    for entry in (catalog.activation(network.hidden), catalog.activation(network.output), catalog.loss(network.loss)):
        for hyperparameter in entry.hyperparameters:
            found.setdefault(hyperparameter.name, float(hyperparameter.default))
    found |= given or {}
    return found


def _kernel(
    network: Network, program: Program, wanted: tuple[str, ...], interface: Interface, *, compiled: bool
) -> Kernel:
    plan = schedule(lower(program, wanted))
    missing = [n for n, s in program.inputs.items() if not s and n not in interface.numbers]
    if missing:
        raise ShapeError(f"{missing[0]} has no value", next="give it a number")
    if compiled and has_numba():
        text = compiled_source(plan, interface)
        per_example, fixed = work_size(plan, interface)
    else:
        text, per_example, fixed = array_source(plan, interface), 0, 0
    module, path = load(text)
    epoch: Callable[..., int] | None = None
    if compiled and has_numba() and interface.gradient:
        from backproof.run.compiled_updates import epoch_of

        epoch = partial(epoch_of(interface.precision, weighted="w" in interface.inputs), module.run)
    return Kernel(network, interface, module.run, epoch, path, per_example, fixed)


@cache
def has_numba() -> bool:
    """Whether kernels are compiled; BACKPROOF_NUMPY=1 says no."""
    if os.environ.get("BACKPROOF_NUMPY"):
        return False
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "scipy"))


def cache_folder() -> Path:
    """Where kernels are kept: $XDG_CACHE_HOME/backproof/kernels."""
    base = os.environ.get("XDG_CACHE_HOME")
    root = Path(base) if base else Path.home() / ".cache"
    return root / "backproof" / "kernels"


def load(text: str) -> tuple[Any, Path]:
    """A generated source as a module, written to the cache if it is not there. Raises FileError."""
    # The compiler does not notice when a function changes that a cached one calls: the name does.
    called = b"".join(
        Path(__file__).with_name(n).read_bytes() for n in ("compiled.py", "compiled_pairs.py", "arrays.py")
    )
    key = hashlib.sha256(f"{GENERATION}\n{text}".encode() + called).hexdigest()[:20]
    name = f"backproof_kernel_{key}"
    if name in sys.modules:
        module = sys.modules[name]
        return module, Path(str(module.__file__))
    path = cache_folder() / f"{name}.py"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
                file.write(text)
            Path(file.name).replace(path)
    except OSError as error:
        raise FileError(
            f"a kernel cannot be written: {error.strerror}",
            got=str(path.parent),
            next="set XDG_CACHE_HOME to a folder with room",
        ) from None
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module, path
