"""Small programs and scopes in which the tests of elaboration read formulas."""

from __future__ import annotations

from backproof.language.expression import Apply, Expr, Index, Tensor, add, apply, delta, mul, power, sum_over, tensor
from backproof.language.program import Definition, Program
from backproof.language.scope import FunctionMeaning, Scope

i, j, k, p, q, s = (Index(name, sort) for name, sort in zip("ijkpqs", "khkhnm", strict=True))


def with_adjoints(program: Program, rows: bool = False) -> tuple[Program, dict[str, str]]:
    """The program with an input for every adjoint, which is all that reading needs of them."""
    gradients = {name: f"∂J/∂{name}" for name in program.names if name != "J"}
    inputs = dict(program.inputs) | {adjoint: program.sorts(name) for name, adjoint in gradients.items()}
    return Program(inputs, program.definitions, row_vectors=rows), gradients


def softmax() -> FunctionMeaning:
    """Softmax with its definition over a vector u."""
    r, t = Index("r", "N"), Index("t", "N")
    body = mul(apply("exp", tensor("u", r)), power(sum_over(t, apply("exp", tensor("u", t))), -1))
    return FunctionMeaning("softmax", "vector", 1, Definition("softmax", (r,), body), ("u",))


FUNCTIONS = {
    "f": FunctionMeaning("f"),
    "g": FunctionMeaning("g"),
    "sigma": FunctionMeaning("sigmoid"),
    "sigmoid": FunctionMeaning("sigmoid"),
    "relu": FunctionMeaning("relu"),
    "ell": FunctionMeaning("ell", arity=2),
    "softmax": softmax(),
    "h": FunctionMeaning("f"),
}


def output_layer() -> Scope:
    """The output layer alone: a = f(z), J = Σ (a − y)²."""
    program = Program(
        {"z": ("k",), "y": ("k",), "eps": (), "lambda": ()},
        (
            Definition("a", (i,), apply("f", tensor("z", i))),
            Definition("J", (), sum_over(i, power(add(tensor("a", i), mul(-1, tensor("y", i))), 2))),
        ),
    )
    full, gradients = with_adjoints(program)
    names = ("yhat", "hat y", "p", "h", "a(L)")
    aliases = dict.fromkeys(names, ("a",)) | {"z(L)": ("z",), "t": ("y",)}
    return Scope(full, aliases, FUNCTIONS, gradients, differentiate=diagonal_derivative)


def diagonal_derivative(expr: Expr, entry: Tensor) -> Expr:
    """A stand-in for differentiation that knows f(z[i]) by z[j], f′(z[i])·δ_ij, and a Hessian."""
    match expr, entry:
        case Apply("f", (Tensor("z", (of,)),)), Tensor("z", (by,)):
            return mul(apply("f", tensor("z", of), orders=(1,)), delta(of, by))
        case Tensor("∂J/∂z", (of,)), Tensor("z", (by,)):
            return tensor("Hessian", of, by)
        case _:
            raise AssertionError(f"no stand-in for the derivative of {expr} by {entry}")


def two_layers(layout: str = "columns") -> Scope:
    """x → h → k with one example, z = W a + b, or z = a W + b with rows."""
    rows = layout == "rows"

    def axes(out: str, inner: str) -> tuple[str, str]:
        return (inner, out) if rows else (out, inner)

    program = Program(
        {"x": ("n",), "y": ("k",), "W(1)": axes("h", "n"), "b(1)": ("h",), "W(2)": axes("k", "h"), "b(2)": ("k",)}
        | {"z(1)": ("h",), "a(1)": ("h",), "z(2)": ("k",), "a(2)": ("k",), "J": ()}
    )
    full, gradients = with_adjoints(program, rows)
    aliases = {"a": ("a(2)",), "yhat": ("a(2)",), "hat y": ("a(2)",), "z": ("z(2)",), "a(L)": ("a(2)",), "a(0)": ("x",)}
    aliases |= {"z(L)": ("z(2)",), "W(L)": ("W(2)",), "a(L-1)": ("a(1)",)}
    return Scope(full, aliases, FUNCTIONS, gradients)


def batch(layout: str = "columns") -> Scope:
    """One layer with m examples: Z = W X + b, or Z = X W + b with rows."""
    rows = layout == "rows"

    def examples(unit: str) -> tuple[str, str]:
        return ("m", unit) if rows else (unit, "m")

    weights = ("n", "k") if rows else ("k", "n")
    program = Program(
        {"X": examples("n"), "Y": examples("k"), "W": weights, "b": ("k",), "lambda": ()}
        | {"Z": examples("k"), "A": examples("k"), "J": ()}
    )
    full, gradients = with_adjoints(program, rows)
    aliases = {"a": ("A",), "z": ("Z",), "y": ("Y",), "x": ("X",)}
    return Scope(full, aliases, FUNCTIONS, gradients, sizes={"N": "m"}, batch="m")


def symbolic_depth() -> Scope:
    """A hidden layer l between its neighbours."""
    program = Program(
        {"a(l-1)": ("g",), "W(l)": ("h", "g"), "b(l)": ("h",), "z(l)": ("h",), "a(l)": ("h",)}
        | {"W(l+1)": ("p", "h"), "z(l+1)": ("p",), "J": ()}
    )
    full, gradients = with_adjoints(program)
    return Scope(full, {}, FUNCTIONS, gradients)


def matrices() -> Scope:
    """Square matrices, vectors and scalars for identities."""
    program = Program(
        dict.fromkeys("ABCG", ("n", "n"))
        | dict.fromkeys(("x", "y", "v"), ("n",))
        | dict.fromkeys(("u", "eps", "gamma", "alpha"), ())
        | {"W": ("m", "n"), "w": ("m",), "T": ("n", "m", "p")}
    )
    return Scope(program, {}, FUNCTIONS)
