"""Transformer parts as explicit loops over batch, time and channels."""

# Names as such code has them.

import math

import numpy as np

B, T, C, H = 2, 3, 4, 5


def example(seed):
    rng = np.random.default_rng(seed)
    params = {
        "weight": rng.normal(size=C), "bias": rng.normal(size=C),
        "fcw": rng.normal(size=(H, C)), "fcb": rng.normal(size=H),
        "proj": rng.normal(size=(C, H)),
    }  # fmt: skip
    return params, rng.normal(size=(B, T, C)), rng.integers(0, C, size=(B, T))


def _run(p, inp):
    out, mean, rstd = np.zeros((B, T, C)), np.zeros((B, T)), np.zeros((B, T))
    pre, act, logits, probs = np.zeros((B, T, H)), np.zeros((B, T, H)), np.zeros((B, T, C)), np.zeros((B, T, C))
    for b in range(B):
        for t in range(T):
            x = inp[b, t]
            m = x.sum() / C
            v = ((x - m) ** 2).sum() / C
            s = 1.0 / np.sqrt(v + 1e-5)
            out[b, t] = s * (x - m) * p["weight"] + p["bias"]
            mean[b, t], rstd[b, t] = m, s
            for o in range(H):
                pre[b, t, o] = p["fcb"][o] + (out[b, t] * p["fcw"][o]).sum()
            u = pre[b, t]
            act[b, t] = 0.5 * u * (1 + np.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)))
            logits[b, t] = p["proj"] @ act[b, t]
            e = np.exp(logits[b, t] - logits[b, t].max())
            probs[b, t] = e / e.sum()
    return out, mean, rstd, pre, act, probs


def forward(params, x, y):
    probs = _run(params, x)[-1]
    loss = 0.0
    for b in range(B):
        for t in range(T):
            loss = loss - np.log(probs[b, t, y[b, t]])
    return loss / (B * T)


def _backward(p, inp, targets, slip=""):
    out, mean, rstd, pre, act, probs = _run(p, inp)
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dinp = np.zeros_like(inp)
    for b in range(B):
        for t in range(T):
            dloss = 1.0 / (B if slip == "batch" else B * T)
            dlogits = np.zeros(C)
            for i in range(C):
                indicator = 1.0 if i == targets[b, t] else 0.0
                dlogits[i] += (probs[b, t, i] - indicator) * dloss
            grads["proj"] += np.outer(dlogits, act[b, t])
            dact = p["proj"].T @ dlogits
            u = pre[b, t]
            inner = math.sqrt(2 / math.pi) * (u + 0.044715 * u**3)
            th = np.tanh(inner)
            sech = 1 - th * th
            cube = 0.044715 if slip == "cube" else 3 * 0.044715
            local = 0.5 * (1 + th) + u * 0.5 * sech * math.sqrt(2 / math.pi) * (1 + cube * u**2)
            if slip == "half":
                local = 0.5 * (1 + th)
            dpre = local * dact
            dout = np.zeros(C)
            for o in range(H):
                dout += p["fcw"][o] * dpre[o]
                if slip == "assign":
                    grads["fcw"][o] = out[b, t] * dpre[o]
                else:
                    grads["fcw"][o] += out[b, t] * dpre[o]
                grads["fcb"][o] += dpre[o]
            m, s = mean[b, t], rstd[b, t]
            dnorm_mean = dnorm_norm_mean = 0.0
            for i in range(C):
                norm = (inp[b, t, i] - m) * s
                dnorm = (1.0 if slip == "gain" else p["weight"][i]) * dout[i]
                dnorm_mean += dnorm
                dnorm_norm_mean += dnorm * norm
            dnorm_mean, dnorm_norm_mean = dnorm_mean / C, dnorm_norm_mean / (H if slip == "wide" else C)
            for i in range(C):
                norm = (inp[b, t, i] - m) * s
                dnorm = p["weight"][i] * dout[i]
                grads["bias"][i] += dout[i]
                grads["weight"][i] += norm * dout[i]
                dval = dnorm
                if slip != "mean":
                    dval -= dnorm_mean
                dval -= norm * dnorm_norm_mean
                dval *= s
                dinp[b, t, i] += dval
    return grads | {"x": dinp}


def backward(params, x, y):
    return _backward(params, x, y)


def averaged_over_batch_alone(params, x, y):
    return _backward(params, x, y, "batch")


def cube_without_three(params, x, y):
    return _backward(params, x, y, "cube")


def half_a_gelu(params, x, y):
    return _backward(params, x, y, "half")


def assigned(params, x, y):
    return _backward(params, x, y, "assign")


def gain_left_out(params, x, y):
    return _backward(params, x, y, "gain")


def mean_term_left_out(params, x, y):
    return _backward(params, x, y, "mean")


WRONG = {
    "averaged_over_batch_alone": ("factor", "batch-scale"),
    "cube_without_three": ("factor", "dropped-term", "wrong-exponent"),
    "half_a_gelu": ("dropped-term", "stopped-gradient", "missing-slope"),
    "assigned": ("no-accumulate",),
    "gain_left_out": ("dropped-term", "missing-slope"),
    "mean_term_left_out": ("stopped-gradient", "dropped-term"),
}

# Found, but not named yet.
UNNAMED = ("gain_left_out",)
