"""Claims about the gradients of small programs, with the conditions under which the false ones would be true.

The letters and shapes are those of `algebra.identities`: i j k over n, r s over m, b c over the batch B.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from algebra.identities import (
    ASSUMPTIONS,
    SHAPES,
    A,
    Entries,
    G,
    M,
    S,
    W,
    X,
    Y,
    a0,
    b,
    batch,
    c,
    d,
    eps,
    ex,
    g,
    h,
    i,
    j,
    k,
    lg,
    n,
    r,
    sg,
    sq,
    tau,
    x,
    y,
    z,
)

from backproof.calculus.sweep import adjoint_name, adjoints
from backproof.language.expression import Expr, Exprlike, Index, apply, lift, num, tensor
from backproof.language.program import Definition, Program


@dataclass(frozen=True)
class Claim:
    """left = right in a program; `needs` are hidden conditions that must be found, as `kind tensor` or `n = 1`."""

    name: str
    true: bool
    program: Program = field(repr=False)
    left: Expr = field(repr=False)
    right: Expr = field(repr=False)
    needs: frozenset[str] = frozenset()


CLAIMS: list[Claim] = []


class Net:
    """A program with the adjoints of J."""

    def __init__(self, *definitions: tuple[str, tuple[Index, ...], Exprlike]) -> None:
        made = tuple(Definition(name, at, lift(body)) for name, at, body in definitions)
        defined = {one.name for one in made}
        forward = Program({name: at for name, at in SHAPES.items() if name not in defined}, made, ASSUMPTIONS)
        self.program = forward.extended(adjoints(forward, "J").values())

    def d(self, name: str, *at: Index) -> Expr:
        return tensor(adjoint_name("J", name), *at)

    def true(self, name: str, left: Exprlike, right: Exprlike) -> None:
        CLAIMS.append(Claim(name, True, self.program, lift(left), lift(right)))

    def false(self, name: str, left: Exprlike, right: Exprlike, *needs: str) -> None:
        CLAIMS.append(Claim(name, False, self.program, lift(left), lift(right), frozenset(needs)))


P = ex(z[i]) / S(j, ex(z[j]))
p, o, a, Z, xh = (Entries(name) for name in ("p", "o", "a", "Z", "xh"))
mu, var, s = (tensor(name) for name in ("mu", "var", "s"))
# fmt: off
soft = ("p", (i,), P)
ce = Net(soft, ("J", (), -S(i, y[i] * lg(p[i]))))
ce.true("softmax, cross-entropy", ce.d("z", i), p[i] * S(j, y[j]) - y[i])
ce.true("its gradient sums to 0", S(i, ce.d("z", i)), 0)
ce.true("softmax written out", ce.d("z", i), ex(z[i]) * S(j, y[j]) / S(k, ex(z[k])) - y[i])
ce.false("softmax, cross-entropy, y not normalised", ce.d("z", i), p[i] - y[i], "unit-sum y")
half = Net(soft, ("J", (), S(i, (p[i] - y[i])**2) / 2))
half.true("softmax, squares", half.d("z", i), p[i] * (p[i] - y[i] - S(j, p[j] * (p[j] - y[j]))))
half.false("softmax, squares, as if elementwise", half.d("z", i), (p[i] - y[i]) * p[i] * (1 - p[i]))
entropy = Net(soft, ("J", (), -S(i, p[i] * lg(p[i]))))
entropy.true("entropy", entropy.d("z", i), -p[i] * (lg(p[i]) + tensor("J")))
entropy.false("entropy, 1 for H", entropy.d("z", i), -p[i] * (lg(p[i]) + 1))
warm = Net(("p", (i,), ex(z[i] / tau) / S(j, ex(z[j] / tau))), ("J", (), -tau**2 * S(i, y[i] * lg(p[i]))))
warm.true("temperature", warm.d("z", i), tau * (p[i] * S(j, y[j]) - y[i]))
warm.false("temperature left out", warm.d("z", i), p[i] * S(j, y[j]) - y[i], "equals tau 1")
ln = Net(("mu", (), M(i, x[i])), ("var", (), M(i, (x[i] - mu)**2)), ("s", (), sq(var + eps)),
         ("xh", (i,), (x[i] - mu) / s), ("J", (), S(i, g[i] * xh[i])))
ln.true("layer norm", ln.d("x", i), (g[i] - M(j, g[j]) - xh[i] * M(j, g[j] * xh[j])) / s)
ln.true("layer norm gradient orthogonal to 1", S(i, ln.d("x", i)), 0)
ln.false("layer norm, mean left out", ln.d("x", i), (g[i] - xh[i] * M(j, g[j] * xh[j])) / s)
ln.false("layer norm, sum for mean", ln.d("x", i), (g[i] - M(j, g[j]) - xh[i] * S(j, g[j] * xh[j])) / s, "n = 1")
ln.false("layer norm, eps in the wrong place", ln.d("x", i),
         (g[i] - M(j, g[j]) - (x[i] - mu) * M(j, g[j] * xh[j]) / (s + eps)) / s, "equals eps 0")
ln.false("layer norm gradient orthogonal to x", S(i, ln.d("x", i) * x[i]), 0, "equals eps 0")
mub, varb, sb, xb = (Entries(name) for name in ("mu", "var", "s", "xh"))
bn = Net(("mu", (i,), M(b, X[b, i])), ("var", (i,), M(b, (X[b, i] - mub[i])**2)), ("s", (i,), sq(varb[i] + eps)),
         ("xh", (b, i), (X[b, i] - mub[i]) / sb[i]), ("J", (), S([b, i], Y[b, i] * xb[b, i])))
bn.true("batch norm", bn.d("X", b, i),
        (batch * Y[b, i] - S(c, Y[c, i]) - xb[b, i] * S(c, Y[c, i] * xb[c, i])) / (batch * sb[i]))
bn.false("batch norm over the wrong axis", bn.d("X", b, i),
         (n * Y[b, i] - S(j, Y[b, j]) - xb[b, i] * S(j, Y[b, j] * xb[b, j])) / (n * sb[i]))
rms = Net(("s", (), sq(M(i, x[i]**2) + eps)), ("xh", (i,), x[i] / s), ("J", (), S(i, g[i] * xh[i])))
rms.true("rms norm", rms.d("x", i), (g[i] - xh[i] * M(j, g[j] * xh[j])) / s)
unit = Net(("s", (), sq(S(i, x[i]**2))), ("J", (), S(i, g[i] * x[i] / s)))
unit.true("unit vector", unit.d("x", i), (g[i] - x[i] / s * S(j, g[j] * x[j] / s)) / s)
quad = Net(("J", (), S([i, j], x[i] * A[i, j] * x[j])))
quad.true("quadratic form", quad.d("x", i), S(j, (A[i, j] + A[j, i]) * x[j]))
quad.false("quadratic form, A not symmetric", quad.d("x", i), 2 * S(j, A[i, j] * x[j]), "symmetric A")
gram = Net(("J", (), S([i, j], (x[i] * x[j] - G[i, j])**2)))
gram.true("Gram loss", gram.d("x", i), 2 * S(j, (2 * x[i] * x[j] - G[i, j] - G[j, i]) * x[j]))
gram.false("Gram loss, G not symmetric", gram.d("x", i), 4 * S(j, (x[i] * x[j] - G[i, j]) * x[j]), "symmetric G")
square = Net(("J", (), S([i, j], A[i, j] * A[j, i])))
square.true("trace of a square", square.d("A", i, j), 2 * A[j, i])
square.false("trace of a square, not transposed", square.d("A", i, j), 2 * A[i, j], "symmetric A")
trace = Net(("J", (), S(i, A[i, i])))
trace.true("trace", trace.d("A", i, j), d(i, j))
trace.false("trace, all ones", trace.d("A", i, j), num(1))
h1 = Entries("h1")
tied = Net(("h1", (r,), apply("f", S(i, W[r, i] * x[i]))), ("o", (i,), S(r, W[r, i] * h1[r])),
           ("J", (), S(i, (o[i] - x[i])**2) / 2))
second = apply("f", S(j, W[r, j] * x[j]), orders=(1,)) * S(j, W[r, j] * (o[j] - x[j])) * x[i]
tied.true("tied autoencoder", tied.d("W", r, i), h1[r] * (o[i] - x[i]) + second)
tied.false("tied autoencoder, one path", tied.d("W", r, i), h1[r] * (o[i] - x[i]))
tied.false("tied autoencoder, slope at the wrong point", tied.d("h1", r) * apply("f", h1[r], orders=(1,)),
           tied.d("h1", r) * apply("f", S(j, W[r, j] * x[j]), orders=(1,)))
gate = Net(("a", (r,), S(i, W[r, i] * x[i])), ("o", (r,), a[r] * sg(a[r])), ("J", (), S(r, h[r] * o[r])))
gate.true("swish", gate.d("a", r), h[r] * (sg(a[r]) + o[r] * (1 - sg(a[r]))))
q = Entries("q")
contrast = Net(("q", (i, j), ex(A[i, j]) / S(k, ex(A[i, k]))), ("J", (), -M(i, lg(q[i, i]))))
contrast.true("contrastive, labels on the diagonal", contrast.d("A", i, j), (q[i, j] - d(i, j)) / n)
contrast.false("contrastive, columns", contrast.d("A", i, j), (q[j, i] - d(i, j)) / n)
focal = Net(("a", (i,), sg(z[i])), ("J", (), -S(i, (1 - a[i])**2 * lg(a[i]))))
focal.true("focal loss", focal.d("z", i), 2 * a[i] * (1 - a[i])**2 * lg(a[i]) - (1 - a[i])**3)
focal.false("focal loss, factor left out", focal.d("z", i), 2 * (1 - a[i])**2 * lg(a[i]) - (1 - a[i])**3)
twice = Net(("J", (), sg(a0) * (1 - sg(a0))))
twice.true("second derivative of sigmoid", twice.d("a0"), sg(a0) * (1 - sg(a0)) * (1 - 2 * sg(a0)))
linear = Net(("Z", (b, r), S(i, W[r, i] * X[b, i])), ("J", (), M(b, S(r, Z[b, r]**2) / 2)))
linear.true("linear layer over a batch", linear.d("W", r, i), M(b, Z[b, r] * X[b, i]))
linear.false("linear layer, sum over the batch", linear.d("W", r, i), S(b, Z[b, r] * X[b, i]), "B = 1")
linear.false("mean of products is not product of means", linear.d("W", r, i), M(b, Z[b, r]) * M(b, X[b, i]))
att = Net(("q", (i, j), ex(A[i, j]) / S(k, ex(A[i, k]))), ("J", (), S([i, j], q[i, j] * G[i, j])))
att.true("attention weights, backwards", att.d("A", i, j), q[i, j] * (G[i, j] - S(k, q[i, k] * G[i, k])))
att.false("attention weights, over the wrong axis", att.d("A", i, j), q[i, j] * (G[i, j] - S(k, q[k, j] * G[k, j])))
# fmt: on
