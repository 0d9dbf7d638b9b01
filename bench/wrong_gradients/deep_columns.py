"""A deep network in columns with caches and dicts of gradients by layer, dropout and an L2 penalty."""

# Names as such code has them.
# ruff: noqa: E741, N802, N803, N806, F821

import numpy as np

SIZES = (6, 5, 4, 1)
LAMBD, KEEP = 0.7, 0.8


def example(seed):
    rng = np.random.default_rng(seed)
    params = {}
    for l in range(1, len(SIZES)):
        params["W" + str(l)] = rng.normal(size=(SIZES[l], SIZES[l - 1])) * 0.7
        params["b" + str(l)] = rng.normal(size=(SIZES[l], 1)) * 0.2
    X = rng.normal(size=(6, 9))
    Y = (rng.uniform(size=(1, 9)) > 0.5) * 1.0
    D1 = (rng.uniform(size=(5, 9)) < KEEP) * 1.0
    return params, (X, D1), Y


def L_model_forward(parameters, data):
    X, D1 = data
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L + 1):
        A_prev = A
        Z = np.dot(parameters["W" + str(l)], A_prev) + parameters["b" + str(l)]
        A = np.maximum(0, Z) if l < L else 1 / (1 + np.exp(-Z))
        if l == 1:
            A = A * D1 / KEEP
        caches.append((A_prev, Z, A))
    return A, caches


def forward(parameters, x, Y):
    AL, _ = L_model_forward(parameters, x)
    m = Y.shape[1]
    cross = -(np.dot(Y, np.log(AL).T) + np.dot(1 - Y, np.log(1 - AL).T)) / m
    penalty = LAMBD / (2 * m) * sum(np.sum(np.square(parameters["W" + str(l)])) for l in range(1, 4))
    return np.squeeze(cross) + penalty


def _backward(
    parameters, x, Y, *, scale=True, bias=True, penalty=1.0, mask=True, keep=True, relu=True, output=1.0, late=False
):
    X, D1 = x
    AL, caches = L_model_forward(parameters, x)
    grads = {}
    m = AL.shape[1]
    dAL = -(np.divide(Y, AL) - output * np.divide(1 - Y, 1 - AL))
    dZ = dAL * AL * (1 - AL)
    for l in reversed(range(1, 4)):
        A_prev, Z, A = caches[l - 1]
        if l < 3:
            if l == 1 and mask:
                dA = dA * D1
            if l == 1 and keep:
                dA = dA / KEEP
            dZ = np.array(dA, copy=True)
            if relu:
                dZ[(A_prev.shape[0] * Z if late else Z) <= 0] = 0
        grads["dW" + str(l)] = (
            np.dot(dZ, A_prev.T) / (m if scale else 1) + penalty * LAMBD / m * parameters["W" + str(l)]
        )
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / (m if bias else 1)
        dA = np.dot(parameters["W" + str(l)].T, dZ)
    return grads


def backward(params, x, y):
    return _backward(params, x, y)


def weights_not_averaged(params, x, y):
    return _backward(params, x, y, scale=False)


def biases_not_averaged(params, x, y):
    return _backward(params, x, y, bias=False)


def penalty_doubled(params, x, y):
    return _backward(params, x, y, penalty=2.0)


def no_penalty(params, x, y):
    return _backward(params, x, y, penalty=0.0)


def dropout_not_masked(params, x, y):
    return _backward(params, x, y, mask=False)


def dropout_not_scaled(params, x, y):
    return _backward(params, x, y, keep=False)


def no_relu_slope(params, x, y):
    return _backward(params, x, y, relu=False)


def sign_in_the_output(params, x, y):
    return _backward(params, x, y, output=-1.0)


def unscaled_and_no_slope(params, x, y):
    return _backward(params, x, y, keep=False, relu=False)


def penalty_and_scale(params, x, y):
    return _backward(params, x, y, scale=False, penalty=0.0)


WRONG = {
    "weights_not_averaged": ("batch-scale",),
    "biases_not_averaged": ("batch-scale", "bias-reduction"),
    "penalty_doubled": ("regulariser-factor",),
    "no_penalty": ("missing-regulariser",),
    "dropout_not_masked": ("missing-mask",),
    "dropout_not_scaled": ("factor", "missing-mask", "dropped-term"),
    "no_relu_slope": ("missing-slope",),
    "sign_in_the_output": ("sign",),
    "unscaled_and_no_slope": ("missing-slope",),
    "penalty_and_scale": ("batch-scale", "missing-regulariser"),
}
