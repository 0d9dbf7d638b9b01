"""A variational autoencoder with the noise given: reconstruction and divergence."""

# Names as such code has them.
# ruff: noqa: N806

import numpy as np


def example(seed):
    rng = np.random.default_rng(seed)
    p = {
        "W1": rng.normal(size=(5, 4)) * 0.7,
        "b1": rng.normal(size=4),
        "Wm": rng.normal(size=(4, 2)),
        "Wv": rng.normal(size=(4, 2)) * 0.5,
        "Wd": rng.normal(size=(2, 5)),
        "bd": rng.normal(size=5),
    }
    return p, rng.uniform(0.1, 0.9, size=(6, 5)), rng.normal(size=(6, 2))


def forward(params, x, y):
    eps = y
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    z = mu + np.exp(0.5 * lv) * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    rec = -np.sum(x * np.log(r) + (1 - x) * np.log(1 - r))
    kl = -0.5 * np.sum(1 + lv - mu**2 - np.exp(lv))
    return (rec + kl) / len(x)


def backward(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz + mu / N
    dlv = dz * eps * 0.5 * std + 0.5 * (np.exp(lv) - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def half_left_out(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz + mu / N
    dlv = dz * eps * std + 0.5 * (np.exp(lv) - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def divergence_subtracted(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz - mu / N
    dlv = dz * eps * 0.5 * std + 0.5 * (np.exp(lv) - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def no_divergence(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz
    dlv = dz * eps * 0.5 * std + 0.5 * (np.exp(lv) - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def noise_left_out(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz + mu / N
    dlv = dz * 0.5 * std + 0.5 * (np.exp(lv) - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def exponential_left_out(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz + mu / N
    dlv = dz * eps * 0.5 * std + 0.5 * (lv - 1) / N
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


def divergence_not_averaged(params, x, y):
    eps = y
    N = len(x)
    h = np.tanh(x @ params["W1"] + params["b1"])
    mu = h @ params["Wm"]
    lv = h @ params["Wv"]
    std = np.exp(0.5 * lv)
    z = mu + std * eps
    r = 1 / (1 + np.exp(-(z @ params["Wd"] + params["bd"])))
    do = (r - x) / N
    dz = do @ params["Wd"].T
    dmu = dz + mu / N
    dlv = dz * eps * 0.5 * std + 0.5 * (np.exp(lv) - 1)
    dh = (dmu @ params["Wm"].T + dlv @ params["Wv"].T) * (1 - h**2)
    return {"W1": x.T @ dh, "b1": dh.sum(0), "Wm": h.T @ dmu, "Wv": h.T @ dlv, "Wd": z.T @ do, "bd": do.sum(0)}


WRONG = {
    "half_left_out": ("factor",),
    "divergence_subtracted": ("sign", "regulariser-sign"),
    "no_divergence": ("dropped-term", "missing-regulariser"),
    "noise_left_out": ("dropped-term", "missing-slope"),
    "exponential_left_out": ("missing-slope", "wrong-activation", "wrong-slope-point", "dropped-term"),
    "divergence_not_averaged": ("batch-scale",),
}
