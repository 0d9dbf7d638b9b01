"""How many digits: the worst error of every elementwise activation, slope, loss and output delta, in ulp.

The reference is the plain definition of the catalogue in balls of 400 bits, or more where they leave a doubt. Measured
are numbers of the whole range of the type, and the neighbours of every zero of the function. Beside it PyTorch, JAX and
SciPy, where installed, at the numbers up to 100. One ulp is the distance between neighbouring numbers at the exact
value; of values below the smallest normal number it is only asked that they are small. `--write FILE` writes Markdown.
"""

# The other libraries are Any here, and so are the arguments of the functions made of them.
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import argparse
import importlib
import importlib.util
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from backproof import catalog
from backproof.calculus.exact_numbers import balls, digits
from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.number_systems import NumberSystem
from backproof.calculus.unfolding import unfold
from backproof.errors import BackproofError
from backproof.language.expression import Expr, Index, apply, num, tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import inline
from backproof.run.forms import PAIRS, lowered, pair_form
from backproof.run.interface import Interface, Precision
from backproof.run.kernels import array_source, compiled_source, has_numba, load, lower, schedule

GOAL = 4.0
EXTREMES = 60
# Where the first argument of a loss may lie, and the targets that are measured, by the kind of the target.
TARGETS: dict[str, tuple[str, tuple[float, ...]]] = {
    "real": ("any", (0.0, 1.0)),
    "probability": ("unit", (0.0, 1.0)),
    "plus-minus-one": ("any", (-1.0, 1.0)),
    "count": ("positive", (0.0, 1.0, 3.0)),
    "positive": ("positive", (1.0, 3.0)),
}
DOMAINS = {"poisson-with-log-rate": "any", "bce-with-logits": "any", "msle": "positive"}


@dataclass(frozen=True)
class Case:
    """A function of one number: its name, the plain formula, what a kernel computes, and where it has values."""

    name: str
    plain: Expr
    form: Expr
    domain: str = "any"


def cases() -> list[Case]:
    """Every elementwise activation and its slope; every loss and its slope; every pair and its delta."""
    found: list[Case] = []
    u = tensor("u")
    for entry in catalog.activations():
        if entry.abstract or not entry.elementwise:
            continue
        values = {h.name: ((), num(h.default)) for h in entry.hyperparameters}
        for order, mark in ((0, ""), (1, "′")):
            plain = apply(entry.name, u, orders=(order,))
            found.append(Case(entry.name + mark, _fixed(plain, values), inline(lowered(plain), values)))
    for activation, loss in PAIRS:
        entry = catalog.loss(loss)
        values = {h.name: ((), num(h.default)) for h in entry.hyperparameters}
        for y in TARGETS[entry.target][1]:
            target = num(Fraction(y))
            a = apply(activation, u)
            chain = apply(loss, a, target, orders=(1, 0)) * apply(activation, u, orders=(1,))
            for plain, slope, mark in ((apply(loss, a, target), False, "loss"), (chain, True, "δ")):
                form = pair_form(activation, loss, slope=slope)
                assert form is not None
                name = f"{activation} + {loss}, {mark}, y = {y:g}"
                found.append(Case(name, _fixed(plain, values), inline(form, {"y": ((), target)} | values)))
    for entry in catalog.losses():
        if entry.abstract or not entry.elementwise:
            continue
        values = {h.name: ((), num(h.default)) for h in entry.hyperparameters}
        domain, targets = TARGETS[entry.target]
        for y in targets:
            for order, mark in ((0, ""), (1, "′")):
                plain = apply(entry.name, u, num(Fraction(y)), orders=(order, 0))
                form = inline(lowered(plain), values)
                name = f"{entry.name}{mark}, y = {y:g}"
                found.append(Case(name, _fixed(plain, values), form, DOMAINS.get(entry.name, domain)))
    return found


def _fixed(plain: Expr, values: dict[str, tuple[tuple[Index, ...], Expr]]) -> Expr:
    return inline(unfold(plain), values)


def points(precision: Precision, domain: str, count: int) -> Any:
    """Numbers of the precision: of all sizes up to 100, of both signs, and dense near 0."""
    generator = np.random.default_rng(0)
    if domain == "unit":
        low = 10 ** generator.uniform(-6, 0, count)
        values = np.concatenate([low, generator.uniform(0, 1, count), 1 - low]).astype(precision)
        return values[(values > 0) & (values < 1)]
    sizes = np.concatenate(
        [10 ** generator.uniform(-6, 2, count), generator.uniform(0, 30, count), generator.uniform(0, 3, count)]
    )
    values = np.concatenate([sizes, -sizes] if domain == "any" else [sizes]).astype(precision)
    return values[np.abs(values) <= (85 if precision == "float32" else 100)]


def extremes(precision: Precision, domain: str) -> Any:
    """Numbers of the sizes that are left, down to the smallest normal number and up to the largest."""
    generator = np.random.default_rng(1)
    info = np.finfo(precision)
    top = np.log10(float(info.max))
    small = 10 ** generator.uniform(-top + 1, -6, EXTREMES)
    large = 10 ** generator.uniform(1.9, top, EXTREMES)
    sizes = np.concatenate([small, large, [float(info.tiny), float(info.max)]])
    if domain == "unit":
        return small.astype(precision)
    return np.concatenate([sizes, -sizes] if domain == "any" else [sizes]).astype(precision)


class Reference:
    """The plain definition in balls, with more bits where they leave a doubt, and in digits where balls end."""

    def __init__(self, case: Case) -> None:
        self.m = Index("m", "m")
        self.inner = inline(case.plain, {"u": ((), tensor("x", self.m))})

    def at(self, values: Sequence[float], numbers: NumberSystem) -> list[Any]:
        array = evaluate_expr(
            self.inner, {"x": list(values)}, indices=(self.m,), sizes={"m": len(values)}, numbers=numbers
        )
        return [array[k] for k in range(len(values))]

    def certain(self, value: float) -> Any:
        """The exact value of one number, as mpmath's."""
        for bits in (400, 7000):
            try:
                (found,) = self.at([value], balls(bits))
            except BackproofError:
                continue
            if found.is_zero() or found.rel_accuracy_bits() > 90:
                return found
        try:
            (found,) = self.at([value], digits(2500))
        except BackproofError:
            return None  # 1 − σ(10^30) has its first digit far behind the 2500th
        return found

    def all(self, values: Sequence[float]) -> list[Any]:
        """The exact values of many numbers."""
        try:
            found = self.at(values, balls(400))
        except BackproofError:
            return [self.certain(v) for v in values]
        return [
            f if f.is_zero() or f.rel_accuracy_bits() > 90 else self.certain(v)
            for v, f in zip(values, found, strict=True)
        ]

    def beside_zeros(self, values: Any, exact: Sequence[Any]) -> Any:
        """Numbers of the precision on both sides of every change of sign, from the nearest one outwards."""
        order = np.argsort(values)
        found: list[Any] = []
        for k, after in pairwise(order):
            if values[k] * values[after] < 0 or exact[k] is None or exact[after] is None:
                continue  # between the smallest numbers of both signs lie the extremes
            if not (exact[k] > 0 > exact[after] or exact[k] < 0 < exact[after]):
                continue
            low, high, rising = values[k], values[after], exact[after] > 0
            while np.nextafter(low, high) < high:
                middle = values.dtype.type((float(low) + float(high)) / 2)
                middle = middle if low < middle < high else np.nextafter(low, high)
                low, high = (low, middle) if (self.certain(float(middle)) > 0) == rising else (middle, high)
            for start, way in ((low, -1.0), (high, 1.0)):
                step = float(np.spacing(np.abs(start)))
                found += [start + way * step * 2.0**k for k in range(-1, int(np.log2(abs(float(start)) / step)) - 1)]
        return np.array(sorted(set(found)), values.dtype)


def computed(found: Sequence[Case], precision: Precision, at: Any, *, compiled: bool) -> dict[str, Any]:
    """The values of kernels that compute the cases, each at its own numbers."""
    s, i = Index("s", "m"), Index("i", "1")
    entry = {"u": ((), tensor("X", s, i))}
    values: dict[str, Any] = {}
    for low in range(0, len(found), 6):
        some = found[low : low + 6]
        made = [Definition(f"f{k}", (s, i), inline(case.form, entry)) for k, case in enumerate(some)]
        names = tuple(d.name for d in made)
        interface = Interface((), ("X",), {}, precision, gradient=False, outputs=names)
        plan = schedule(lower(Program({"X": ("m", "1")}, tuple(made)), names))
        module, _ = load((compiled_source if compiled else array_source)(plan, interface))
        for case, name in zip(some, names, strict=True):
            here = at[case.name]
            results = {n: np.empty((len(here), 1), precision) for n in names}
            work = np.empty(64 * len(here) + 64, precision)
            with np.errstate(all="ignore"):
                module.run(work, work, work, here.reshape(-1, 1), *results.values())
            values[case.name] = results[name][:, 0].copy()
    return values


def worst(values: Any, exact: Sequence[Any], at: Any) -> tuple[float, float]:
    """The largest error in ulp, and where."""
    info = np.finfo(values.dtype)
    found = (0.0, 0.0)
    for value, true, x in zip(values, exact, at, strict=True):
        if true is None or abs(true) > float(info.max):
            continue
        size = abs(true)
        size = float(size)
        if 0 < size < float(info.tiny):
            # Below the smallest normal number only that the value is small, too.
            error = 0.0 if abs(value) <= float(info.tiny) else float("inf")
        else:
            ulp = float(np.spacing(values.dtype.type(min(size, float(info.max) / 2)))) if size else float(info.tiny)
            error = float(abs(true - float(value)) / ulp) if np.isfinite(value) else float("inf")
        found = max(found, (error, float(x)))
    return found


def peers() -> dict[str, dict[str, Callable[[Any], Any]]]:
    """The same functions of other libraries: values, and slopes as their own differentiation gives them."""
    found: dict[str, dict[str, Callable[[Any], Any]]] = {}
    same = {"sigmoid", "tanh", "softplus", "silu", "gelu", "mish", "elu", "selu", "celu", "softsign", "relu6"}
    if importlib.util.find_spec("torch"):
        torch: Any = importlib.import_module("torch")

        functional = torch.nn.functional
        table: dict[str, Any] = {n: getattr(functional, n) for n in same}
        table |= {"log-sigmoid": functional.logsigmoid, "tanhshrink": functional.tanhshrink}
        table["gelu-tanh"] = lambda v: functional.gelu(v, approximate="tanh")
        for y in (0.0, 1.0):
            table[f"sigmoid + bce, loss, y = {y:g}"] = lambda v, y=y: functional.binary_cross_entropy_with_logits(
                v, torch.full_like(v, y), reduction="none"
            )

        def slope(function: Any) -> Callable[[Any], Any]:
            def run(x: Any) -> Any:
                v = torch.tensor(x, requires_grad=True)
                function(v).sum().backward()
                assert v.grad is not None
                return v.grad.numpy()

            return run

        found["PyTorch"] = {n: (lambda x, f=f: f(torch.tensor(x)).numpy()) for n, f in table.items()}
        found["PyTorch"] |= {(n.replace("loss", "δ") if "loss" in n else n + "′"): slope(f) for n, f in table.items()}
    if importlib.util.find_spec("jax"):
        jax: Any = importlib.import_module("jax")

        jax.config.update("jax_enable_x64", True)
        nn: Any = jax.nn
        table = {"sigmoid": nn.sigmoid, "tanh": jax.numpy.tanh, "softplus": nn.softplus, "silu": nn.silu,
                 "mish": nn.mish, "gelu": lambda v: nn.gelu(v, approximate=False), "gelu-tanh": nn.gelu,
                 "elu": nn.elu, "selu": nn.selu,
                 "celu": nn.celu, "softsign": nn.soft_sign, "log-sigmoid": nn.log_sigmoid}  # fmt: skip
        for y in (0.0, 1.0):  # optax.sigmoid_binary_cross_entropy
            table[f"sigmoid + bce, loss, y = {y:g}"] = lambda v, y=y: (
                -y * nn.log_sigmoid(v) - (1 - y) * nn.log_sigmoid(-v)
            )
        found["JAX"] = {n: (lambda x, f=f: np.asarray(f(x))) for n, f in table.items()}
        found["JAX"] |= {
            (n.replace("loss", "δ") if "loss" in n else n + "′"): (lambda x, f=f: np.asarray(jax.vmap(jax.grad(f))(x)))
            for n, f in table.items()
        }
    if importlib.util.find_spec("scipy"):
        functions: Any = importlib.import_module("scipy.special")
        found["SciPy"] = {"sigmoid": functions.expit, "log-sigmoid": functions.log_expit, "tanh": np.tanh,
                          "gelu": lambda x: x * functions.ndtr(x), "arctan": np.arctan}  # fmt: skip
    return found


def measured(found: Sequence[Case], precision: Precision, count: int, *, compiled: bool) -> dict[str, Any]:
    """For each case the worst error of backproof and where, with the numbers and the exact values at them."""
    at: dict[str, Any] = {}
    exact: dict[str, list[Any]] = {}
    peers_at: dict[str, tuple[Any, list[Any]]] = {}
    for case in found:
        reference = Reference(case)
        plain = points(precision, case.domain, count)
        values = reference.all([float(x) for x in plain])
        peers_at[case.name] = plain, values
        more = np.concatenate([extremes(precision, case.domain), reference.beside_zeros(plain, values)])
        at[case.name] = np.concatenate([plain, more])
        exact[case.name] = [*values, *(reference.certain(float(x)) for x in more)]
    values = computed(found, precision, at, compiled=compiled)
    return {c.name: (*worst(values[c.name], exact[c.name], at[c.name]), *peers_at[c.name]) for c in found}


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("--count", type=int, default=250, help="numbers in each of the ranges (250)")
    parser.add_argument("--only", metavar="NAME", default="", help="the functions whose name begins so")
    parser.add_argument("--numpy", action="store_true", help="the kernels without a compiler")
    options = parser.parse_args()
    everything = [case for case in cases() if case.name.startswith(options.only)]
    others = peers()
    errors: dict[tuple[str, str, str], float] = {}
    places: dict[str, float] = {}
    precisions: tuple[Precision, ...] = ("float32", "float64")
    for precision in precisions:
        found = measured(everything, precision, options.count, compiled=has_numba() and not options.numpy)
        for name, (error, place, at, exact) in found.items():
            errors[name, precision, "backproof"], places[f"{name} {precision}"] = error, place
            for library, functions in others.items():
                if name in functions:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        theirs = np.asarray(functions[name](at))
                    errors[name, precision, library] = worst(theirs, exact, at)[0]
    libraries = ["backproof", *others]
    head = ["function", *(f"{lib} {p[5:]}" for p in precisions for lib in libraries), "worst at"]
    table = [head, ["---"] * len(head)]
    missed = 0
    for case in everything:
        cells = [case.name]
        for p in precisions:
            for lib in libraries:
                error = errors.get((case.name, p, lib))
                cells.append("" if error is None else f"{error:.1f}" if error < 1000 else f"{error:.0e}")
        bad = [p for p in precisions if errors[case.name, p, "backproof"] > GOAL]
        missed += bool(bad)
        cells.append(", ".join(f"{places[f'{case.name} {p}']:.4g}" for p in bad))
        table.append(cells)
    lines = ["| " + " | ".join(row) + " |" for row in table]
    lines.append(f"\n{len(everything) - missed} of {len(everything)} within {GOAL:g} ulp in both types.")
    text = "\n".join(lines)
    print(text)
    if options.write:
        path = Path(options.write)
        before = path.read_text("utf-8").split("<!-- table -->")[0] if path.exists() else ""
        path.write_text(before + "<!-- table -->\n\n" + text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
