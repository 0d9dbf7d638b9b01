"""A convolution of stride 1 with padding, by loops over the kernel, ReLU and a sum."""

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    params = {"K": rng.normal(size=(2, 3, 3, 3)), "b": rng.normal(size=2)}
    return params, rng.normal(size=(2, 3, 5, 4)), rng.normal(size=(2, 2, 5, 4))


def _convolve(params, x):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = x.shape[2:]
    z = np.zeros((x.shape[0], params["K"].shape[0], height, width))
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + height, j : j + width]
            z += np.einsum("nchw,fc->nfhw", window, params["K"][:, :, i, j])
    return z + params["b"][None, :, None, None], padded


def forward(params, x, y):
    z, _ = _convolve(params, x)
    return np.sum(np.maximum(z, 0) * y)


def _gradients(params, x, dz, padded, *, flipped=False, shift=0, accumulate=True):
    height, width = x.shape[2:]
    dk, dpadded = np.zeros_like(params["K"]), np.zeros_like(padded)
    for i in range(3):
        for j in range(3):
            window = padded[:, :, i : i + height, j : j + width]
            dk[:, :, i, j] = np.einsum("nchw,nfhw->fc", window, dz)
            k = params["K"][:, :, 2 - i, 2 - j] if flipped else params["K"][:, :, i, j]
            piece = np.einsum("nfhw,fc->nchw", dz, k)
            if accumulate:
                dpadded[:, :, i : i + height, j : j + width] += piece
            else:
                dpadded[:, :, i : i + height, j : j + width] = piece
    stop = (slice(1 + shift, 1 + shift + height), slice(1, 1 + width))
    return {"K": dk, "b": dz.sum(axis=(0, 2, 3)), "x": dpadded[(slice(None), slice(None), *stop)]}


def backward(params, x, y):
    z, padded = _convolve(params, x)
    return _gradients(params, x, y * (z > 0), padded)


def relu_forgotten(params, x, y):
    _, padded = _convolve(params, x)
    return _gradients(params, x, y, padded)


def kernel_flipped(params, x, y):
    z, padded = _convolve(params, x)
    return _gradients(params, x, y * (z > 0), padded, flipped=True)


def overwritten(params, x, y):
    z, padded = _convolve(params, x)
    return _gradients(params, x, y * (z > 0), padded, accumulate=False)


def shifted(params, x, y):
    z, padded = _convolve(params, x)
    return _gradients(params, x, y * (z > 0), padded, shift=1)


def bias_of_one_image(params, x, y):
    z, padded = _convolve(params, x)
    dz = y * (z > 0)
    return _gradients(params, x, dz, padded) | {"b": dz.sum(axis=(2, 3)).mean(axis=0)}


WRONG = {
    "relu_forgotten": ("missing-slope",),
    "kernel_flipped": ("wrong-index", "wrong-axis", "transpose"),
    "overwritten": ("no-accumulate",),
    "shifted": ("wrong-index",),
    "bias_of_one_image": ("bias-reduction", "batch-scale"),
}
