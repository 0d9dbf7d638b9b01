"""Functions that a formula may use without a catalogue, by name: exp, max, sum, diag, tr, dot, where."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Final

from backproof.errors import FormulaError
from backproof.language.expression import Expr, Num, apply, mul, num
from backproof.language.functions import AXIOMS, ENTRYWISE, PAIRWISE
from backproof.language.notation import Big, BigKind, Call, Negative, Notation, Number, Relation, Symbol
from backproof.language.reading import Reader, Steps
from backproof.language.shapes import Typed

MATRIX_FUNCTIONS: Final = frozenset(
    {
        "diag",
        "tr",
        "trace",
        "transpose",
        "dot",
        "matmul",
        "outer",
        "inner",
        "norm",
        "where",
        "clip",
        "clamp",
        "eye",
        "vec",
        "det",
        "inv",
        "T",
    }
)
BIG_FUNCTIONS: Final[dict[str, BigKind]] = {
    "sum": "sum",
    "mean": "mean",
    "average": "mean",
    "max": "max",
    "min": "min",
    "amax": "max",
}

BUILTINS: Final = MATRIX_FUNCTIONS | AXIOMS.keys() | ENTRYWISE.keys() | PAIRWISE.keys() | BIG_FUNCTIONS.keys()


def check_count(arguments: Sequence[Notation], wanted: int) -> None:
    """Raises FormulaError unless there are as many arguments as wanted."""
    if len(arguments) != wanted:
        raise FormulaError("a function has another number of arguments", expected=f"{wanted}", got=f"{len(arguments)}")


def each(nodes: Sequence[Notation]) -> Generator[Notation, Typed, list[Typed]]:
    """The meanings of several parts."""
    found: list[Typed] = []
    for node in nodes:
        found.append((yield node))  # noqa: PERF401 - each answer is sent into the generator
    return found


def read_builtin(reader: Reader, node: Call, name: str) -> Steps:
    """A call of one of these functions."""
    if node.primes and name not in AXIOMS:
        raise FormulaError(f"the slope of {name} cannot be written {name}′ here", next="write its formula")
    if name in AXIOMS or name in ENTRYWISE:
        check_count(node.arguments, 1)
        inside = yield node.arguments[0]
        entry: Callable[[Expr], Expr] = (
            (lambda u: apply(AXIOMS[name], u, orders=(node.primes,))) if name in AXIOMS else ENTRYWISE[name]
        )
        return replace(inside, expr=entry(inside.expr))
    plain, axis = _axis_argument(name, node.arguments)
    if name in BIG_FUNCTIONS and len(plain) == 1:
        result = yield Big(BIG_FUNCTIONS[name], plain[0], axis=axis, span=node.span)
        return result
    inside_all = yield from each(node.arguments)
    if name in PAIRWISE:
        if len(inside_all) < 2:
            raise FormulaError(f"{name} takes two arguments", got=str(len(inside_all)))
        exprs, shape = reader.elementwise(inside_all, f"the shapes do not fit in {name}")
        result_expr = exprs[0]
        for other in exprs[1:]:
            result_expr = _pairwise(name, result_expr, other)
        return replace(shape, expr=result_expr)
    return _matrix_function(reader, name, inside_all)


def _axis_argument(name: str, arguments: Sequence[Notation]) -> tuple[Sequence[Notation], int | None]:
    """The arguments without NumPy's options, and the axis among them: x.sum(0), np.sum(x, axis=1, keepdims=True)."""
    plain: list[Notation] = []
    axis: int | None = None
    for argument in arguments:
        match argument:
            case Relation((Symbol("axis" | "dim"), value), ("=",)):
                axis = _whole(value)
            case Relation((Symbol("keepdims" | "keepdim"), _), ("=",)):
                pass
            case Number() if plain and name in ("sum", "mean", "average") and _whole(argument) is not None:
                axis = _whole(argument)
            case _:
                plain.append(argument)
    return plain, axis


def _whole(node: Notation) -> int | None:
    match node:
        case Number(value) if value.denominator == 1:
            return int(value)
        case Negative(Number(value)) if value.denominator == 1:
            return -int(value)
        case _:
            return None


def _pairwise(name: str, left: Expr, right: Expr) -> Expr:
    if name == "pow" and isinstance(right, Num):
        return left**right.value
    if name in ("max", "maximum") and right is num(0):
        # Written the way everybody reads it: max(z, 0) is z·[z > 0].
        return PAIRWISE[name](right, left)
    return PAIRWISE[name](left, right)


def _matrix_function(reader: Reader, name: str, given: Sequence[Typed]) -> Typed:
    algebra = reader.algebra
    wanted = {"dot": 2, "matmul": 2, "outer": 2, "inner": 2, "where": 3, "clip": 3, "clamp": 3}.get(name, 1)
    if len(given) != wanted:
        raise FormulaError(f"{name} takes {wanted} argument" + "s" * (wanted > 1), got=str(len(given)))
    match name:
        case "diag":
            if given[0].is_matrix:
                return algebra.diagonal(given[0])
            return algebra.diagonal_matrix(given[0], reader.axis(reader.sorts.unknown()))
        case "tr" | "trace":
            return algebra.trace(given[0])
        case "transpose" | "T":
            return algebra.transposed(given[0])
        case "dot" | "matmul" | "inner":
            return reader.product("@", given)
        case "outer":
            return reader.product("⊗", given)
        case "norm":
            total = algebra.total(algebra.with_expr(given[0], given[0].expr ** 2))
            return Typed(ENTRYWISE["sqrt"](total.expr))
        case "where":
            exprs, shape = reader.elementwise(given, "the shapes do not fit in where")
            condition, yes, no = exprs
            return replace(shape, expr=mul(condition, yes) + mul(1 - condition, no))
        case "clip" | "clamp":
            exprs, shape = reader.elementwise(given, f"the shapes do not fit in {name}")
            inside, lowest, highest = exprs
            return replace(shape, expr=PAIRWISE["max"](lowest, PAIRWISE["min"](inside, highest)))
        case _:
            raise FormulaError(
                f"{name} is not part of the formula language", expected="products, transposes, traces and diagonals"
            )
