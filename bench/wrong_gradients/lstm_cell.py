"""A long short-term memory over a few steps, gates in one matrix, as a class with caches."""

# Names as such code has them.
# ruff: noqa: N803, N806

import numpy as np

D, N, Q = 3, 2, 4


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"W": rng.normal(size=(D + Q, 4 * Q)) * 0.6, "b": rng.normal(size=4 * Q) * 0.3}
    return params, rng.normal(size=(4, N, D)), rng.normal(size=(N, Q))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class LSTM:
    def __init__(self, W, b, slip=""):
        self.W, self.b, self.slip = W, b, slip

    def forward(self, xs):
        h, c = np.zeros((xs.shape[1], Q)), np.zeros((xs.shape[1], Q))
        self.caches = []
        for x in xs:
            z = np.concatenate([x, h], axis=1)
            g = z @ self.W + self.b
            i, f, o, u = (
                sigmoid(g[:, :Q]),
                sigmoid(g[:, Q : 2 * Q]),
                sigmoid(g[:, 2 * Q : 3 * Q]),
                np.tanh(g[:, 3 * Q :]),
            )
            c_prev = c
            c = f * c_prev + i * u
            h = o * np.tanh(c)
            self.caches.append((z, i, f, o, u, c_prev, c))
        return h

    def backward(self, dh):
        dW, db, dxs = np.zeros_like(self.W), np.zeros_like(self.b), []
        dc = np.zeros_like(dh)
        for z, i, f, o, u, c_prev, c in reversed(self.caches):
            t = np.tanh(c)
            do = dh * t
            if self.slip == "cell":
                dc = dh * o * (1 - t**2)
            elif self.slip == "tanh":
                dc = dc + dh * o
            else:
                dc = dc + dh * o * (1 - t**2)
            di, du = dc * u, dc * i
            df = dc * (c if self.slip == "now" else c_prev)
            if self.slip == "swap":
                di, du = dc * i, dc * u
            slope_u = u * (1 - u) if self.slip == "gate" else 1 - u**2
            dg = np.concatenate([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), du * slope_u], axis=1)
            dW += z.T @ dg
            db += dg.sum(axis=0)
            dz = dg @ self.W.T
            dxs.append(dz[:, :D])
            dh = dz[:, D:]
            dc = dc if self.slip == "forget" else dc * f
        return dW, db, np.stack(dxs[::-1])


def forward(params, x, y):
    return 0.5 * np.sum((LSTM(params["W"], params["b"]).forward(x) - y) ** 2) / len(y)


def _grad(params, x, y, slip=""):
    cell = LSTM(params["W"], params["b"], slip)
    h = cell.forward(x)
    dW, db, dx = cell.backward((h - y) / len(y))
    return {"W": dW, "b": db, "x": dx}


def backward(params, x, y):
    return _grad(params, x, y)


def cell_not_carried(params, x, y):
    return _grad(params, x, y, "cell")


def cell_without_tanh_slope(params, x, y):
    return _grad(params, x, y, "tanh")


def forget_gate_with_new_cell(params, x, y):
    return _grad(params, x, y, "now")


def gates_swapped(params, x, y):
    return _grad(params, x, y, "swap")


def candidate_with_sigmoid_slope(params, x, y):
    return _grad(params, x, y, "gate")


def cell_carried_without_gate(params, x, y):
    return _grad(params, x, y, "forget")


WRONG = {
    "cell_not_carried": ("stopped-gradient", "dropped-term"),
    "cell_without_tanh_slope": ("missing-slope",),
    "forget_gate_with_new_cell": ("stale-variable", "wrong-variable", "wrong-layer"),
    "gates_swapped": ("wrong-variable", "wrong-layer", "stale-variable"),
    "candidate_with_sigmoid_slope": ("wrong-activation",),
    "cell_carried_without_gate": ("dropped-term", "missing-slope"),
}
