"""How many digits: the worst error of every elementwise activation, slope, loss and output delta, in ulp.

The reference is the plain definition of the catalogue in 360 digits. Beside it PyTorch, JAX and SciPy, where installed.
One ulp is the distance between neighbouring numbers at the exact value; values below the smallest normal number are
left out. `--write FILE` writes the table as Markdown.
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
from pathlib import Path
from typing import Any

import numpy as np

from backproof import catalog
from backproof.calculus.exact_numbers import digits
from backproof.calculus.interpreter import evaluate_expr
from backproof.calculus.unfolding import unfold
from backproof.language.expression import Expr, Index, apply, num, tensor
from backproof.language.program import Definition, Program
from backproof.language.walks import inline
from backproof.run.forms import PAIRS, lowered, pair_form
from backproof.run.interface import Interface, Precision
from backproof.run.kernels import array_source, compiled_source, has_numba, load, lower, schedule

GOAL = 4.0
REFERENCE_DIGITS = 360
TARGETS = (0.0, 1.0)


@dataclass(frozen=True)
class Case:
    """A function of one number: its name, the plain formula, and what a kernel computes."""

    name: str
    plain: Expr
    form: Expr


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
        for y in TARGETS:
            target = num(Fraction(y))
            a = apply(activation, u)
            chain = apply(loss, a, target, orders=(1, 0)) * apply(activation, u, orders=(1,))
            for plain, slope, mark in ((apply(loss, a, target), False, "loss"), (chain, True, "δ")):
                form = pair_form(activation, loss, slope=slope)
                assert form is not None
                name = f"{activation} + {loss}, {mark}, y = {y:g}"
                if not (loss == "itakura-saito" and y == 0):
                    found.append(Case(name, unfold(plain), inline(form, {"y": ((), target)})))
    for entry in catalog.losses():
        if entry.abstract or not entry.elementwise or entry.target != "real":
            continue
        values = {h.name: ((), num(h.default)) for h in entry.hyperparameters}
        for order, mark in ((0, ""), (1, "′")):
            plain = apply(entry.name, u, num(0), orders=(order, 0))
            found.append(Case(f"{entry.name}{mark} at y = 0", _fixed(plain, values), inline(lowered(plain), values)))
    return found


def _fixed(plain: Expr, values: dict[str, tuple[tuple[Index, ...], Expr]]) -> Expr:
    return inline(unfold(plain), values)


def points(precision: Precision) -> Any:
    """Numbers of the precision: of all sizes up to 100, of both signs, and dense near 0."""
    generator = np.random.default_rng(0)
    sizes = np.concatenate(
        [10 ** generator.uniform(-6, 2, 150), generator.uniform(0, 30, 100), generator.uniform(0, 3, 100)]
    )
    values = np.concatenate([sizes, -sizes]).astype(precision)
    return values[np.abs(values) <= (85 if precision == "float32" else 100)]


def computed(found: Sequence[Case], precision: Precision, at: Any) -> dict[str, Any]:
    """The values of one kernel that computes all cases."""
    s, i = Index("s", "m"), Index("i", "1")
    entry = {"u": ((), tensor("X", s, i))}
    made = [Definition(f"f{k}", (s, i), inline(case.form, entry)) for k, case in enumerate(found)]
    values: dict[str, Any] = {}
    for low in range(0, len(made), 12):
        some = made[low : low + 12]
        names = tuple(d.name for d in some)
        interface = Interface((), ("X",), {}, precision, gradient=False, outputs=names)
        plan = schedule(lower(Program({"X": ("m", "1")}, tuple(some)), names))
        module, _ = load((compiled_source if has_numba() else array_source)(plan, interface))
        results = [np.empty((len(at), 1), precision) for _ in names]
        work = np.empty(64 * len(at) + 64, precision)
        module.run(work, work, work, at.reshape(-1, 1), *results)
        values |= {case.name: r[:, 0] for case, r in zip(found[low : low + 12], results, strict=True)}
    return values


def worst(values: Any, exact: Sequence[Any], at: Any) -> tuple[float, float]:
    """The largest error in ulp, and where."""
    info = np.finfo(values.dtype)
    found = (0.0, 0.0)
    for value, true, x in zip(values, exact, at, strict=True):
        size = abs(true)
        if (size != 0 and size < float(info.tiny)) or size > float(info.max):
            continue
        ulp = float(np.spacing(values.dtype.type(float(size)))) if size else float(info.tiny)
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
        for y in TARGETS:
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
        for y in TARGETS:  # optax.sigmoid_binary_cross_entropy
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


def main() -> None:
    """Print the table, and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", metavar="FILE")
    options = parser.parse_args()
    everything = cases()
    others = peers()
    errors: dict[tuple[str, str, str], float] = {}
    places: dict[str, float] = {}
    precisions: tuple[Precision, ...] = ("float32", "float64")
    for precision in precisions:
        at = points(precision)
        values = computed(everything, precision, at)
        m = Index("m", "m")
        for case in everything:
            inner = inline(case.plain, {"u": ((), tensor("x", m))})
            given = {"x": [float(x) for x in at]}
            exact_numbers = digits(REFERENCE_DIGITS)
            array = evaluate_expr(inner, given, indices=(m,), sizes={"m": len(at)}, numbers=exact_numbers)
            exact = [array[k] for k in range(len(at))]
            errors[case.name, precision, "backproof"], places[f"{case.name} {precision}"] = worst(
                values[case.name], exact, at
            )
            for library, functions in others.items():
                if case.name in functions:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        theirs = np.asarray(functions[case.name](at))
                    errors[case.name, precision, library] = worst(theirs, exact, at)[0]
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
