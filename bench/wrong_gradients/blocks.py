"""A multilayer perceptron of layer objects in a list, each with its cache, as in home-made libraries."""

# Names as such code has them.
# ruff: noqa: N803

import numpy as np


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = np.sum(grad, axis=0)
        return grad @ self.W.T


class BatchNorm:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        self.mu, self.var = x.mean(axis=0), x.var(axis=0)
        self.xhat = (x - self.mu) / np.sqrt(self.var + 1e-5)
        return self.gamma * self.xhat + self.beta

    def backward(self, grad):
        n = len(grad)
        self.dgamma, self.dbeta = np.sum(grad * self.xhat, axis=0), np.sum(grad, axis=0)
        dxhat = grad * self.gamma
        return (n * dxhat - dxhat.sum(axis=0) - self.xhat * (dxhat * self.xhat).sum(axis=0)) / (
            n * np.sqrt(self.var + 1e-5)
        )


class ELU:
    def forward(self, x):
        self.x = x
        self.y = np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1)
        return self.y

    def backward(self, grad):
        return grad * np.where(self.x > 0, 1.0, self.y + 1)


class SlipELU(ELU):
    def backward(self, grad):
        return grad * np.where(self.x > 0, 1.0, self.y)


class SlipLinear(Linear):
    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = np.sum(grad, axis=0)
        return grad @ self.W.T * self.x


class SlipNorm(BatchNorm):
    def backward(self, grad):
        super().backward(grad)
        dxhat = grad * self.gamma
        return dxhat / np.sqrt(self.var + 1e-5)


class VarianceNorm(BatchNorm):
    def backward(self, grad):
        n = len(grad)
        super().backward(grad)
        dxhat = grad * self.gamma
        return (n * dxhat - dxhat.sum(axis=0) - self.xhat * (dxhat * self.xhat).sum(axis=0)) / (n * (self.var + 1e-5))


class Mirror(Linear):
    def backward(self, grad):
        dx = super().backward(grad)
        self.dW = (grad.T @ self.x).T / len(grad)
        return dx


def example(seed):
    rng = np.random.default_rng(seed)
    params = {
        "W1": rng.normal(size=(4, 5)), "b1": rng.normal(size=5), "gamma": rng.uniform(0.5, 1.5, 5),
        "beta": rng.normal(size=5), "W2": rng.normal(size=(5, 4)), "b2": rng.normal(size=4),
        "W3": rng.normal(size=(4, 3)), "b3": rng.normal(size=3),
    }  # fmt: skip
    return params, rng.normal(size=(7, 4)), rng.normal(size=(7, 3))


def _layers(p, linear=Linear, norm=BatchNorm, elu=ELU, last=Linear):
    return [
        linear(p["W1"], p["b1"]), norm(p["gamma"], p["beta"]), elu(), Linear(p["W2"], p["b2"]), elu(), last(p["W3"], p["b3"]),
    ]  # fmt: skip


def forward(params, x, y):
    for layer in _layers(params):
        x = layer.forward(x)
    return 0.5 * np.mean(np.sum((x - y) ** 2, axis=1))


def _grad(params, x, y, order=True, **kinds):
    layers = _layers(params, **kinds)
    out = x
    for layer in layers:
        out = layer.forward(out)
    grad = (out - y) / len(x)
    for layer in reversed(layers):
        grad = layer.backward(grad)
    one, norm, _, two, _, three = layers
    return {
        "W1": one.dW, "b1": one.db, "gamma": norm.dgamma, "beta": norm.dbeta, "W2": two.dW, "b2": two.db,
        "W3": three.dW, "b3": three.db, "x": grad,
    }  # fmt: skip


def backward(params, x, y):
    return _grad(params, x, y)


def exponential_minus_one(params, x, y):
    return _grad(params, x, y, elu=SlipELU)


def input_multiplied(params, x, y):
    return _grad(params, x, y, linear=SlipLinear)


def statistics_constant(params, x, y):
    return _grad(params, x, y, norm=SlipNorm)


def variance_not_rooted(params, x, y):
    return _grad(params, x, y, norm=VarianceNorm)


def averaged_twice(params, x, y):
    return _grad(params, x, y, last=Mirror)


def statistics_and_elu(params, x, y):
    return _grad(params, x, y, norm=SlipNorm, elu=SlipELU)


def elu_and_average(params, x, y):
    return _grad(params, x, y, last=Mirror, elu=SlipELU)


WRONG = {
    "exponential_minus_one": ("wrong-activation", "dropped-term", "wrong-slope-point", "extra-slope"),
    "input_multiplied": ("extra-slope",),
    "statistics_constant": ("stopped-gradient",),
    "variance_not_rooted": ("wrong-exponent", "extra-slope"),
    "averaged_twice": ("batch-scale",),
    "statistics_and_elu": ("stopped-gradient",),
    "elu_and_average": ("batch-scale",),
}
