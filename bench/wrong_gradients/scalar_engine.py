"""A scalar autograd engine whose local derivatives are written by hand, and a small network of its values."""

# Names as such code has them.
# ruff: noqa: N803, N806, SLF001

import numpy as np


class Value:
    slip = ""

    def __init__(self, data, children=()):
        self.data, self.grad, self._prev = data, 0.0, children
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            if Value.slip == "overwrite":
                self.grad = other.data * out.grad
            else:
                self.grad += other.data * out.grad
            other.grad += (out.data if Value.slip == "product" else self.data) * out.grad

        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data**n, (self,))

        def _backward():
            factor = 1 if Value.slip == "power" else n
            self.grad += factor * self.data ** (n - 1) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        t = np.tanh(self.data)
        out = Value(t, (self,))

        def _backward():
            self.grad += (1 - self.data**2 if Value.slip == "point" else 1 - t**2) * out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        return self + other * -1 if isinstance(other, Value) else self + (-other)

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if id(v) not in visited:
                visited.add(id(v))
                for child in v._prev:
                    build(child)
                topo.append(v)

        build(self)
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()


def example(seed):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(3, 2)), "V": rng.normal(size=3)}, rng.normal(size=(2, 2)), rng.normal(size=2)


def _loss(W, V, x, y):
    total = Value(0.0)
    for row, target in zip(x, y):
        out = Value(0.0)
        for k in range(3):
            z = W[k][0] * row[0] + W[k][1] * row[1]
            out = out + z.tanh() * V[k]
        total = total + (out - target) ** 2
    return total


def forward(params, x, y):
    Value.slip = ""
    W = [[Value(w) for w in row] for row in params["W"]]
    return _loss(W, [Value(v) for v in params["V"]], x, y).data


def _run(params, x, y, slip):
    Value.slip = slip
    W = [[Value(w) for w in row] for row in params["W"]]
    V = [Value(v) for v in params["V"]]
    _loss(W, V, x, y).backward()
    Value.slip = ""
    return {"W": [[w.grad for w in row] for row in W], "V": [v.grad for v in V]}


def backward(params, x, y):
    return _run(params, x, y, "")


def overwritten(params, x, y):
    return _run(params, x, y, "overwrite")


def product_slip(params, x, y):
    return _run(params, x, y, "product")


def power_without_exponent(params, x, y):
    return _run(params, x, y, "power")


def slope_at_the_wrong_point(params, x, y):
    return _run(params, x, y, "point")


WRONG = {
    "overwritten": ("no-accumulate", "dropped-term"),
    "product_slip": ("wrong-variable", "stale-variable", "extra-slope", "wrong-layer"),
    "power_without_exponent": ("factor",),
    "slope_at_the_wrong_point": ("wrong-slope-point",),
}
