"""Formulas that must be proved, and near misses that must not be: the common corpus of the algebra's tests.

Indices i j k l p q run over n, r s t over m, b c over B. Tensors x y z u v w g (n), A B C G (n, n), W (m, n), h (m),
X Y (B, n); scalars a0 b0 c0, eps > 0 and tau > 0. `step(u)` is [u > 0].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.language.expression import (
    Apply,
    Expr,
    Exprlike,
    Index,
    add,
    apply,
    const,
    delta,
    lift,
    mean_over,
    mul,
    num,
    one,
    power,
    size,
    sum_over,
    tensor,
    zero,
)
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import inline, names, rewrite

ASSUMPTIONS = (Assumption("eps", "positive"), Assumption("tau", "positive"))


class Entries:
    """A named tensor: `x[i]`, `A[i, j]`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, at: Index | tuple[Index, ...]) -> Expr:
        return tensor(self.name, *((at,) if isinstance(at, Index) else at))


i, j, k, l, p, q = (Index(c, "n") for c in "ijklpq")
r, s, t = (Index(c, "m") for c in "rst")
b, c = (Index(d, "B") for d in "bc")
x, y, z, u, v, w, g, A, B, C, G, W, h, X, Y = map(
    Entries, ("x", "y", "z", "u", "v", "w", "g", "A", "B", "C", "G", "W", "h", "X", "Y")
)
a0, b0, c0, eps, tau = map(tensor, ("a0", "b0", "c0", "eps", "tau"))
n, m, batch = size("n"), size("m"), size("B")
SHAPES = {
    **dict.fromkeys("xyzuvwg", ("n",)),
    **dict.fromkeys(("A", "B", "C", "G"), ("n", "n")),
    "W": ("m", "n"), "h": ("m",), "X": ("B", "n"), "Y": ("B", "n"),
    **dict.fromkeys(("a0", "b0", "c0", "eps", "tau"), ()),
}  # fmt: skip


def ex(e: Exprlike) -> Expr:
    return apply("exp", e)


def lg(e: Exprlike) -> Expr:
    return apply("log", e)


def step(e: Exprlike) -> Expr:
    return apply("step", e)


def sg(e: Exprlike) -> Expr:
    return 1 / (1 + ex(-lift(e)))


def th(e: Exprlike) -> Expr:
    return 1 - 2 / (1 + ex(2 * lift(e)))


def sp(e: Exprlike) -> Expr:
    return lg(1 + ex(e))


def sq(e: Exprlike) -> Expr:
    return power(e, Fraction(1, 2))


def relu(e: Exprlike) -> Expr:
    return lift(e) * step(e)


def ab(e: Exprlike) -> Expr:
    return lift(e) * (2 * step(e) - 1)


def erf(e: Exprlike) -> Expr:
    return apply("erf", e)


def S(index: Index | list[Index], e: Exprlike) -> Expr:
    return sum_over(index, e)


def M(index: Index, e: Exprlike) -> Expr:
    return mean_over(index, lift(e))


d = delta


@dataclass(frozen=True)
class Claim:
    """left = right, true or not."""

    name: str
    true: bool
    left: Expr
    right: Expr

    def __repr__(self) -> str:
        return f"{'true' if self.true else 'false'}: {self.name}"


CLAIMS: list[Claim] = []


def claim(true: int, name: str, left: Exprlike, right: Exprlike) -> None:
    CLAIMS.append(Claim(name, bool(true), lift(left), lift(right)))


SLOPES: dict[str, Callable[[Expr], Expr]] = {
    "exp": ex,
    "log": lambda e: 1 / e,
    "step": lambda _: zero,
    "sin": lambda e: apply("cos", e),
    "cos": lambda e: -apply("sin", e),
    "erf": lambda e: 2 / sq(const("pi")) * ex(-(e**2)),
    "atan": lambda e: 1 / (1 + e**2),
}


def unfolded(expr: Expr) -> Expr:
    """The slopes of elementary functions written out."""

    def rule(node: Expr) -> Expr | None:
        if isinstance(node, Apply) and node.orders == (1,) and node.name in SLOPES:
            return SLOPES[node.name](node.args[0])
        return None

    return rewrite(expr, rule)


class Net:
    """Definitions in order, their adjoints, and both written out in terms of the inputs."""

    def __init__(self, *definitions: tuple[str, tuple[Index, ...], Exprlike]) -> None:
        made = tuple(Definition(name, at, lift(body)) for name, at, body in definitions)
        defined = {one_.name for one_ in made}
        self.program = Program({a: shape for a, shape in SHAPES.items() if a not in defined}, made)
        found = adjoints(self.program, "J")
        self.bodies = {one_.name: (one_.indices, one_.body) for one_ in (*made, *found.values())}

    def d(self, name: str, *at: Index) -> Expr:
        return tensor(adjoint_name("J", name), *at)

    def expanded(self, expr: Expr) -> Expr:
        while names(expr) & self.bodies.keys():
            expr = inline(expr, self.bodies)
        return unfolded(expr)

    def claim(self, true: int, name: str, left: Exprlike, right: Exprlike) -> None:
        claim(true, name, self.expanded(lift(left)), self.expanded(lift(right)))


P = ex(z[i]) / S(j, ex(z[j]))
claim(1, "tanh by sigmoid", th(a0), 2 * sg(2 * a0) - 1)
claim(0, "tanh by sigmoid, argument", th(a0), 2 * sg(a0) - 1)
claim(1, "log sigmoid", lg(sg(a0)), -sp(-a0))
claim(0, "log sigmoid, sign", lg(sg(a0)), -sp(a0))
claim(1, "softplus difference", sp(a0) - sp(-a0), a0)
claim(0, "softplus sum", sp(a0) + sp(-a0), a0)
claim(1, "sech squared", 1 - th(a0) ** 2, 4 * sg(2 * a0) * sg(-2 * a0))
claim(0, "sech squared, argument", 1 - th(a0) ** 2, 4 * sg(a0) * sg(-a0))
claim(1, "mish, closed", th(sp(a0)), ((1 + ex(a0)) ** 2 - 1) / ((1 + ex(a0)) ** 2 + 1))
claim(0, "mish, closed, 2", th(sp(a0)), ((1 + ex(a0)) ** 2 - 1) / ((1 + ex(a0)) ** 2 + 2))
claim(1, "log cosh", lg((ex(a0) + ex(-a0)) / 2), a0 + sp(-2 * a0) - lg(2))
claim(0, "log cosh, no log 2", lg((ex(a0) + ex(-a0)) / 2), a0 + sp(-2 * a0))
claim(1, "exp of fractions", ex(b0 * a0 / (1 + a0)) * ex(b0 / (1 + a0)), ex(b0))
claim(0, "exp of fractions, argument", ex(b0 * a0 / (1 + a0)) * ex(a0 / (1 + a0)), ex(b0))
claim(1, "two-class softmax", ex(a0) / (ex(a0) + ex(b0)), sg(a0 - b0))
claim(0, "two-class softmax, sign", ex(a0) / (ex(a0) + ex(b0)), sg(b0 - a0))
claim(1, "binary entropy", -sg(a0) * lg(sg(a0)) - (1 - sg(a0)) * lg(1 - sg(a0)), sp(a0) - a0 * sg(a0))
claim(0, "binary entropy, sign", -sg(a0) * lg(sg(a0)) - (1 - sg(a0)) * lg(1 - sg(a0)), sp(a0) - a0 * sg(-a0))
claim(1, "relu split", relu(a0) - relu(-a0), a0)
claim(0, "relu is not additive", relu(a0 + b0), relu(a0) + relu(b0))
claim(1, "relu, positive scale", relu(eps * relu(a0)), eps * relu(a0))
claim(0, "relu, scale of unknown sign", relu(b0 * relu(a0)), b0 * relu(a0))
claim(1, "maximum", b0 + relu(a0 - b0), (a0 + b0 + ab(a0 - b0)) / 2)
claim(0, "minimum for maximum", b0 + relu(a0 - b0), (a0 + b0 - ab(a0 - b0)) / 2)
claim(
    1,
    "maximum is associative",
    c0 + relu(b0 + relu(a0 - b0) - c0),
    (b0 + relu(c0 - b0)) + relu(a0 - (b0 + relu(c0 - b0))),
)
claim(1, "square of abs", ab(a0) ** 2, a0**2)
claim(0, "cube of abs", ab(a0) ** 3, a0**3)
claim(1, "softmax sums to 1", S(i, P), 1)
claim(0, "softmax sums to n", S(i, P), n)
claim(1, "softmax, shift", P, ex(z[i] + a0) / S(j, ex(z[j] + a0)))
claim(0, "softmax, scale", P, ex(a0 * z[i]) / S(j, ex(a0 * z[j])))
claim(1, "log softmax", lg(P), z[i] - lg(S(k, ex(z[k]))))
claim(0, "log softmax, no exp", lg(P), z[i] - S(k, z[k]))
claim(1, "centred sum", S(i, x[i] - M(j, x[j])), 0)
claim(0, "sum for mean", S(i, x[i] - S(j, x[j])), 0)
claim(1, "variance", M(i, (x[i] - M(j, x[j])) ** 2), M(i, x[i] ** 2) - M(i, x[i]) ** 2)
claim(0, "variance, n", M(i, (x[i] - M(j, x[j])) ** 2), M(i, x[i] ** 2) - S(i, x[i]) ** 2 / n)
claim(1, "pair variance", S([i, j], (x[i] - x[j]) ** 2) / (2 * n), S(i, (x[i] - M(j, x[j])) ** 2))
claim(0, "pair variance, n^2", S([i, j], (x[i] - x[j]) ** 2) / (2 * n**2), S(i, (x[i] - M(j, x[j])) ** 2))
claim(
    1,
    "Lagrange",
    S(i, x[i] ** 2) * S(i, y[i] ** 2) - S(i, x[i] * y[i]) ** 2,
    S([i, j], (x[i] * y[j] - x[j] * y[i]) ** 2) / 2,
)
claim(0, "sum of squares", S(i, x[i]) ** 2, S(i, x[i] ** 2))
claim(1, "trace, cyclic", S([i, j, k], A[i, j] * B[j, k] * C[k, i]), S([p, q, l], B[p, q] * C[q, l] * A[l, p]))
claim(0, "trace, odd permutation", S([i, j, k], A[i, j] * B[j, k] * C[k, i]), S([p, q, l], A[p, q] * C[q, l] * B[l, p]))
claim(
    0,
    "Cayley-Hamilton for 2 (true for n <= 2)",
    S(j, A[i, j] * A[j, k])
    - S(j, A[j, j]) * A[i, k]
    + (S(j, A[j, j]) ** 2 - S([j, l], A[j, l] * A[l, j])) / 2 * d(i, k),
    0,
)
claim(0, "a polynomial in n (0 for n = 1, 2, 3)", n**3 - 6 * n**2 + 11 * n, 6)
claim(0, "trace against total", S(i, A[i, i]), S([i, j], A[i, j]))
claim(1, "transposed pair", S([i, j], A[i, j] * A[j, i] * x[i]), S([i, j], A[i, j] * A[j, i] * x[j]))
claim(0, "transposed pair, squares", S([i, j], A[i, j] ** 2 * x[i]), S([i, j], A[i, j] ** 2 * x[j]))
claim(
    1,
    "softmax Jacobian",
    S(k, P * (d(i, k) - ex(z[k]) / S(j, ex(z[j]))) * g[k]),
    P * (g[i] - S(k, ex(z[k]) * g[k]) / S(j, ex(z[j]))),
)
claim(
    0,
    "softmax Jacobian, no delta",
    S(k, P * (1 - ex(z[k]) / S(j, ex(z[j]))) * g[k]),
    P * (g[i] - S(k, ex(z[k]) * g[k]) / S(j, ex(z[j]))),
)
claim(1, "partial fractions in a sum", S(i, 1 / (x[i] ** 2 - 1)), S(i, 1 / (x[i] - 1) - 1 / (x[i] + 1)) / 2)
claim(0, "partial fractions in a sum, sign", S(i, 1 / (x[i] ** 2 - 1)), S(i, 1 / (x[i] - 1) + 1 / (x[i] + 1)) / 2)
claim(
    1, "partial fractions, symbolic", S(i, 1 / (x[i] ** 2 - a0**2)), S(i, 1 / (x[i] - a0) - 1 / (x[i] + a0)) / (2 * a0)
)
claim(
    1,
    "product of such sums",
    S(i, 1 / (x[i] ** 2 - 1)) * S(j, x[j]),
    S([i, j], (1 / (x[i] - 1) - 1 / (x[i] + 1)) * x[j]) / 2,
)
claim(1, "square of such sums", S(i, 1 / (x[i] ** 2 - 1)) ** 2, S(i, 1 / (x[i] - 1) - 1 / (x[i] + 1)) ** 2 / 4)
claim(1, "sum of sigmoids", S(i, sg(z[i]) + sg(-z[i])), n)
claim(1, "sum of sigmoids of differences", S([i, j], sg(x[i] - x[j])), n**2 / 2)
claim(1, "sum of erf of differences", S([i, j], erf(x[i] - x[j])), 0)
claim(1, "sum of step times erf", S([i, j], step(x[i] - x[j]) * erf(x[i] - x[j])), S([i, j], ab(erf(x[i] - x[j]))) / 2)
claim(1, "sigmoid and tanh in a sum", S(i, sg(z[i]) * th(z[i]) * y[i]), S(i, sg(z[i]) * y[i] * (2 * sg(2 * z[i]) - 1)))
Q = ex(w[i]) / S(j, ex(w[j]))
claim(
    1, "KL of softmaxes", S(i, P * (lg(P) - lg(Q))), S(i, P * (z[i] - w[i])) - lg(S(j, ex(z[j]))) + lg(S(j, ex(w[j])))
)
claim(1, "rationalised root", 1 / (sq(a0**2 + eps) + a0), (sq(a0**2 + eps) - a0) / eps)
claim(0, "sqrt(x^2) = x", sq(a0**2), a0)
claim(1, "sqrt(x^2) = abs x", sq(a0**2), ab(a0))
claim(1, "log of a product of roots", lg(sq(eps) * tau**3), lg(eps) / 2 + 3 * lg(tau))
claim(0, "exp(log(relu x))", ex(lg(relu(a0))), relu(a0) + 1 - step(a0))

soft = ("p", (i,), P)
pr = Entries("p")
ce = Net(soft, ("J", (), -S(i, y[i] * lg(pr[i]))))
ce.claim(1, "softmax and cross-entropy", ce.d("z", i), pr[i] * S(j, y[j]) - y[i])
ce.claim(0, "softmax and cross-entropy, y not normalised", ce.d("z", i), pr[i] - y[i])
ce.claim(1, "gradient of cross-entropy sums to 0", S(i, ce.d("z", i)), 0)
half = Net(soft, ("J", (), S(i, (pr[i] - y[i]) ** 2) / 2))
half.claim(0, "softmax and squares as if elementwise", half.d("z", i), (pr[i] - y[i]) * pr[i] * (1 - pr[i]))
half.claim(1, "softmax and squares", half.d("z", i), pr[i] * (pr[i] - y[i] - S(j, pr[j] * (pr[j] - y[j]))))
entropy = Net(soft, ("J", (), -S(i, pr[i] * lg(pr[i]))))
entropy.claim(1, "entropy of softmax", entropy.d("z", i), -pr[i] * (lg(pr[i]) + tensor("J")))
entropy.claim(0, "entropy of softmax, 1 for H", entropy.d("z", i), -pr[i] * (lg(pr[i]) + 1))
warm = Net(("p", (i,), ex(z[i] / tau) / S(j, ex(z[j] / tau))), ("J", (), -(tau**2) * S(i, y[i] * lg(pr[i]))))
warm.claim(1, "temperature", warm.d("z", i), tau * (pr[i] * S(j, y[j]) - y[i]))
warm.claim(0, "temperature left out", warm.d("z", i), pr[i] * S(j, y[j]) - y[i])
mu, var, sd, xh = tensor("mu"), tensor("var"), tensor("sd"), Entries("xh")
ln = Net(
    ("mu", (), M(i, x[i])),
    ("var", (), M(i, (x[i] - mu) ** 2)),
    ("sd", (), sq(var + eps)),
    ("xh", (i,), (x[i] - mu) / sd),
    ("J", (), S(i, g[i] * xh[i])),
)
ln.claim(1, "layer norm", ln.d("x", i), (g[i] - M(j, g[j]) - xh[i] * M(j, g[j] * xh[j])) / sd)
ln.claim(0, "layer norm, mean left out", ln.d("x", i), (g[i] - xh[i] * M(j, g[j] * xh[j])) / sd)
ln.claim(0, "layer norm, sum for mean", ln.d("x", i), (g[i] - M(j, g[j]) - xh[i] * S(j, g[j] * xh[j])) / sd)
ln.claim(
    0,
    "layer norm, eps in the wrong place",
    ln.d("x", i),
    (g[i] - M(j, g[j]) - (x[i] - mu) * M(j, g[j] * xh[j]) / (sd + eps)) / sd,
)
ln.claim(0, "layer norm gradient orthogonal to x (needs eps = 0)", S(i, ln.d("x", i) * x[i]), 0)
ln.claim(1, "layer norm gradient orthogonal to 1", S(i, ln.d("x", i)), 0)
mub, varb, sdb, xb = Entries("mu"), Entries("var"), Entries("sd"), Entries("xh")
bn = Net(
    ("mu", (i,), M(b, X[b, i])),
    ("var", (i,), M(b, (X[b, i] - mub[i]) ** 2)),
    ("sd", (i,), sq(varb[i] + eps)),
    ("xh", (b, i), (X[b, i] - mub[i]) / sdb[i]),
    ("J", (), S([b, i], Y[b, i] * xb[b, i])),
)
dX = tensor(adjoint_name("J", "X"), b, i)
bn.claim(
    1, "batch norm", dX, (batch * Y[b, i] - S(c, Y[c, i]) - xb[b, i] * S(c, Y[c, i] * xb[c, i])) / (batch * sdb[i])
)
bn.claim(
    0,
    "batch norm over the wrong axis",
    dX,
    (n * Y[b, i] - S(j, Y[b, j]) - xb[b, i] * S(j, Y[b, j] * xb[b, j])) / (n * sdb[i]),
)
rms = Net(("sd", (), sq(M(i, x[i] ** 2) + eps)), ("xh", (i,), x[i] / sd), ("J", (), S(i, g[i] * xh[i])))
rms.claim(1, "rms norm", rms.d("x", i), (g[i] - xh[i] * M(j, g[j] * xh[j])) / sd)
unit = Net(("sd", (), sq(S(i, x[i] ** 2))), ("J", (), S(i, g[i] * x[i] / sd)))
unit.claim(1, "unit vector", unit.d("x", i), (g[i] - x[i] / sd * S(j, g[j] * x[j] / sd)) / sd)
quad = Net(("J", (), S([i, j], x[i] * A[i, j] * x[j])))
quad.claim(1, "quadratic form", quad.d("x", i), S(j, (A[i, j] + A[j, i]) * x[j]))
quad.claim(0, "quadratic form (needs A symmetric)", quad.d("x", i), 2 * S(j, A[i, j] * x[j]))
gram = Net(("J", (), S([i, j], (x[i] * x[j] - G[i, j]) ** 2)))
gram.claim(1, "Gram loss", gram.d("x", i), 2 * S(j, (2 * x[i] * x[j] - G[i, j] - G[j, i]) * x[j]))
gram.claim(0, "Gram loss (needs G symmetric)", gram.d("x", i), 4 * S(j, (x[i] * x[j] - G[i, j]) * x[j]))
square = Net(("J", (), S([i, j], A[i, j] * A[j, i])))
square.claim(1, "trace of a square", square.d("A", i, j), 2 * A[j, i])
square.claim(0, "trace of a square, not transposed", square.d("A", i, j), 2 * A[i, j])
trace = Net(("J", (), S(i, A[i, i])))
trace.claim(1, "trace", trace.d("A", i, j), d(i, j))
trace.claim(0, "trace, all ones", trace.d("A", i, j), one)
h1, o = Entries("h1"), Entries("o")
tied = Net(
    ("h1", (r,), apply("f", S(i, W[r, i] * x[i]))),
    ("o", (i,), S(r, W[r, i] * h1[r])),
    ("J", (), S(i, (o[i] - x[i]) ** 2) / 2),
)
second = apply("f", S(j, W[r, j] * x[j]), orders=(1,)) * S(j, W[r, j] * (o[j] - x[j])) * x[i]
tied.claim(1, "tied autoencoder", tied.d("W", r, i), h1[r] * (o[i] - x[i]) + second)
tied.claim(0, "tied autoencoder, one path", tied.d("W", r, i), h1[r] * (o[i] - x[i]))
a = Entries("a")
swiglu = Net(("a", (r,), S(i, W[r, i] * x[i])), ("o", (r,), a[r] * sg(a[r])), ("J", (), S(r, h[r] * o[r])))
swiglu.claim(1, "swish", swiglu.d("a", r), h[r] * (sg(a[r]) + o[r] * (1 - sg(a[r]))))
qe = Entries("q")
contrast = Net(("q", (i, j), ex(A[i, j]) / S(k, ex(A[i, k]))), ("J", (), -M(i, lg(qe[i, i]))))
contrast.claim(1, "contrastive, labels on the diagonal", contrast.d("A", i, j), (qe[i, j] - d(i, j)) / n)
contrast.claim(0, "contrastive, columns", contrast.d("A", i, j), (qe[j, i] - d(i, j)) / n)
focal = Net(("a", (i,), sg(z[i])), ("J", (), -S(i, (1 - a[i]) ** 2 * lg(a[i]))))
focal.claim(1, "focal loss", focal.d("z", i), 2 * a[i] * (1 - a[i]) ** 2 * lg(a[i]) - (1 - a[i]) ** 3)
focal.claim(0, "focal loss, factor left out", focal.d("z", i), 2 * (1 - a[i]) ** 2 * lg(a[i]) - (1 - a[i]) ** 3)
twice = Net(("J", (), sg(a0) * (1 - sg(a0))))
twice.claim(1, "second derivative of sigmoid", twice.d("a0"), sg(a0) * (1 - sg(a0)) * (1 - 2 * sg(a0)))
Z = Entries("Z")
linear = Net(("Z", (b, r), S(i, W[r, i] * X[b, i])), ("J", (), M(b, S(r, Z[b, r] ** 2) / 2)))
linear.claim(1, "linear layer over a batch", linear.d("W", r, i), M(b, Z[b, r] * X[b, i]))
linear.claim(0, "linear layer, sum over the batch", linear.d("W", r, i), S(b, Z[b, r] * X[b, i]))
linear.claim(0, "mean of products is not product of means", linear.d("W", r, i), M(b, Z[b, r]) * M(b, X[b, i]))
Pa = Entries("Pa")
att = Net(("Pa", (i, j), ex(A[i, j]) / S(k, ex(A[i, k]))), ("J", (), S([i, j], Pa[i, j] * G[i, j])))
att.claim(1, "softmax of rows, backwards", att.d("A", i, j), Pa[i, j] * (G[i, j] - S(k, Pa[i, k] * G[i, k])))
att.claim(0, "softmax of rows, over the wrong axis", att.d("A", i, j), Pa[i, j] * (G[i, j] - S(k, Pa[k, j] * G[k, j])))
hv = Net(soft, ("H", (), S(i, pr[i] * S(j, y[j]) * v[i] - y[i] * v[i])), ("J", (), tensor("H")))
hv.claim(
    1,
    "Hessian of softmax and cross-entropy times a vector",
    hv.d("z", i),
    S(j, y[j]) * (pr[i] * v[i] - pr[i] * S(k, pr[k] * v[k])),
)
hv.claim(0, "the same without the sum of y", hv.d("z", i), pr[i] * v[i] - pr[i] * S(k, pr[k] * v[k]))

__all__ = ["ASSUMPTIONS", "CLAIMS", "SHAPES", "Claim", "add", "mul", "num"]
