"""Numbers as unevaluated sums of two: 32 digits in compiled kernels, where a formula loses the digits of one number.

Sources: T. Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18 (1971);
Y. Hida, X. Li, D. Bailey, Algorithms for quad-double precision floating point arithmetic, 15th IEEE Symposium on
Computer Arithmetic (2001).
"""

# Numba compiles these functions for the types that it meets; types written here would say nothing to it.
# pyright: basic, reportCallIssue=false, reportGeneralTypeIssues=false
# ruff: noqa: ANN001, ANN201, ANN202, D103, ARG001, SIM201

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from backproof.run.compiled import density64, exp64, phi64, sigmoid64, softplus64

# No contraction: the error of a sum or a product is computed as written.
_EXACT: Final[dict[str, Any]] = {"error_model": "numpy", "inline": "never"}
_INLINE: Final[dict[str, Any]] = {"error_model": "numpy", "forceinline": True}


def halves(value: Fraction) -> tuple[float, float]:
    """A number as the sum of two.

    >>> halves(Fraction(1, 4))
    (0.25, 0.0)
    """
    high = float(value)
    return high, float(value - Fraction(high))


_LN2: Final = Fraction(0xB17217F7D1CF79ABC9E3B39803F2F6AF40F343267298B62D8A0D175B, 1 << 224)
_LN2_1 = float(Fraction(int(_LN2 * 2**41), 2**41))  # times a whole number of 11 bits it is exact
_LN2_2, _LN2_3 = halves(_LN2 - Fraction(_LN2_1))
_LOG2E = 1.4426950408889634
_PI_1, _PI_2 = 3.141592653589793, 1.2246467991473532e-16
_DENSITY_1, _DENSITY_2 = 0.3989422804014327, -2.49232720227773e-17  # 1/√(2π)
# The zero of gelu′ and its next derivatives there: φ(r)(2 − r²), φ(r)(r³ − 4r), φ(r)(−r⁴ + 7r² − 4).
_GELU_ZERO: Final = Fraction("-0.75179152469356445745790494677952403966447115342345")
_GELU_ROOT = (*halves(_GELU_ZERO), float(_GELU_ZERO - sum(map(Fraction, halves(_GELU_ZERO)))))
_GELU_FIRST = halves(Fraction("0.431493992314046919786507169629264931127147656"))
_GELU_SECOND, _GELU_THIRD = 0.7765699659811037, -0.10919805803192263
_FACTORIALS: Final = [halves(Fraction(1, math.factorial(k))) for k in range(32)]
_INVERSE_HIGH = np.array([pair[0] for pair in _FACTORIALS])
_INVERSE_LOW = np.array([pair[1] for pair in _FACTORIALS])


@intrinsic
def _fused(_: Any, a: Any, b: Any, c: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@njit(**_INLINE)
def _quick(s, e):
    """A sum and what is missing, once more; a sum that is infinite misses nothing."""
    r = s + e
    return r, (e - (r - s) if r - r == 0.0 else 0.0)


@njit(**_INLINE)
def add(ah, al, bh, bl):
    s = ah + bh
    if not s - s == 0.0:
        return s, 0.0
    t = s - ah
    e = (ah - (s - t)) + (bh - t)
    u = al + bl
    v = u - al
    f = (al - (u - v)) + (bl - v)
    s, e = _quick(s, e + u)
    return _quick(s, e + f)


@njit(**_INLINE)
def mul(ah, al, bh, bl):
    p = ah * bh
    e = _fused(ah, bh, -p) + _fused(al, bh, _fused(ah, bl, al * bl))
    h, low = _quick(p, e if p - p == 0.0 else 0.0)
    zero = ah == 0.0 or bh == 0.0  # also of an overflow: what decays beats what grows
    return 0.0 if zero else h, 0.0 if zero else low


@njit(**_INLINE)
def inverse(ah, al):
    q = 1.0 / ah
    finite = q - q == 0.0 and q != 0.0
    r = _fused(-q, ah, 1.0) - q * al
    h, low = _quick(q, q * r)
    r = (_fused(-h, ah, 1.0) - h * al) - low * ah
    h2, low2 = _quick(h, low + h * r)
    return h2 if finite else q, low2 if finite else 0.0


@njit(**_INLINE)
def root(ah, al):
    s = math.sqrt(ah)
    r = (_fused(-s, s, ah) + al) / (2.0 * s) if s > 0.0 and s - s == 0.0 else 0.0
    return _quick(s, r)


@njit(**_INLINE)
def absolute(ah, al):
    return (ah, al) if ah > 0.0 or (ah == 0.0 and al > 0.0) else (-ah, -al)


@njit(**_INLINE)
def sign(ah, al):
    return (1.0 if positive(ah, al) else -1.0 if ah < 0.0 or al < 0.0 else 0.0), 0.0


@njit(**_INLINE)
def positive(ah, al):
    return ah > 0.0 or (ah == 0.0 and al > 0.0)


@njit(**_INLINE)
def _series(rh, rl, first, last):
    """Σ r^(k − first)/k! for k from `first`: the small terms in one number, the others in two."""
    tail = 0.0
    for k in range(last, first + 12, -1):
        tail = tail * rh + _INVERSE_HIGH[k]
    h, low = tail, 0.0
    for k in range(first + 12, first - 1, -1):
        h, low = mul(h, low, rh, rl)
        h, low = add(_INVERSE_HIGH[k], _INVERSE_LOW[k], h, low)
    return h, low


@njit(**_EXACT)
def exp(ah, al):
    x = min(max(ah, -746.0), 710.0)
    n = np.rint(x * _LOG2E)
    rh, rl = add(x, al if x == ah else 0.0, -n * _LN2_1, 0.0)
    p, e = mul(-n, 0.0, _LN2_2, _LN2_3)
    rh, rl = add(rh, rl, p, e)
    h, low = _series(rh, rl, 0, 22)
    half = np.floor(0.5 * n)
    first, second = 2.0**half, 2.0 ** (n - half)
    return _quick((h * first) * second, (low * first) * second)


@njit(**_INLINE)
def quick_exp(ah, al):
    """The exponential with some ten bits more than one number has."""
    x = min(max(ah, -746.0), 710.0)
    n = np.rint(x * _LOG2E)
    q = x - n * _LN2_1  # exact: few bits are left of x
    r = q - n * _LN2_2
    lost = ((q - r) - n * _LN2_2) + (al if x == ah else 0.0)
    p = 0.0
    for k in range(14, 1, -1):
        p = p * r + _INVERSE_HIGH[k]
    t = p * r * r
    sh, sl = add(1.0, 0.0, r, t + lost * (1.0 + (r + t)))
    half = np.floor(0.5 * n)
    first, second = 2.0**half, 2.0 ** (n - half)
    return _quick((sh * first) * second, (sl * first) * second)


@njit(**_INLINE)
def quick_sigmoid(ah, al):
    vh, vl = absolute(ah, al)
    eh, el = quick_exp(-vh, -vl)
    dh, dl = add(1.0, 0.0, eh, el)
    wh, wl = inverse(dh, dl)
    return (wh, wl) if ah > 0.0 else mul(eh, el, wh, wl)


@njit(**_EXACT)
def expm1(ah, al):
    if abs(ah) < 1.0:
        h, low = _series(ah, al, 1, 31)
        return mul(h, low, ah, al)
    h, low = exp(ah, al)
    return add(h, low, -1.0, 0.0)


@njit(**_EXACT)
def expm2(ah, al):
    """exp(v) − 1 − v."""
    if abs(ah) < 1.0:
        h, low = _series(ah, al, 2, 31)
        qh, ql = mul(ah, al, ah, al)
        return mul(h, low, qh, ql)
    h, low = exp(ah, al)
    h, low = add(h, low, -1.0, 0.0)
    return add(h, low, -ah, -al)


@njit(**_EXACT)
def expm3(ah, al):
    """exp(v) − 1 − v − v²/2."""
    qh, ql = mul(ah, al, ah, al)
    if abs(ah) < 1.0:
        h, low = _series(ah, al, 3, 31)
        h, low = mul(h, low, ah, al)
        return mul(h, low, qh, ql)
    h, low = expm2(ah, al)
    return add(h, low, -0.5 * qh, -0.5 * ql)


@njit(**_EXACT)
def log(ah, al):
    y = math.log(ah)
    if not y - y == 0.0:
        return y, 0.0
    h, low = exp(-y, 0.0)
    h, low = mul(h, low, ah, al)
    h, low = add(h, low, -1.0, 0.0)
    return add(y, 0.0, h - 0.5 * h * h, low)


@njit(**_EXACT)
def log1p(ah, al):
    """Near 0 twice the series of artanh(v/(2 + v)), DLMF 4.6.4."""
    sh, sl = add(1.0, 0.0, ah, al)
    if not abs(ah) < 0.125:
        return log(sh, sl)
    dh, dl = add(2.0, 0.0, ah, al)
    dh, dl = inverse(dh, dl)
    zh, zl = mul(ah, al, dh, dl)
    qh, ql = mul(zh, zl, zh, zl)
    th, tl = 0.0, 0.0
    for k in range(27, 0, -2):
        ih, il = inverse(float(k), 0.0)
        th, tl = mul(th, tl, qh, ql)
        th, tl = add(ih, il, th, tl)
    h, low = mul(zh, zl, th, tl)
    return 2.0 * h, 2.0 * low


@njit(**_EXACT)
def softplus(ah, al):
    vh, vl = absolute(ah, al)
    eh, el = exp(-vh, -vl)
    h, low = log1p(eh, el)
    return add(ah, al, h, low) if ah > 0.0 else (h, low)


@njit(**_EXACT)
def sigmoid(ah, al):
    vh, vl = absolute(ah, al)
    eh, el = exp(-vh, -vl)
    dh, dl = add(1.0, 0.0, eh, el)
    wh, wl = inverse(dh, dl)
    return (wh, wl) if ah > 0.0 else mul(eh, el, wh, wl)


@njit(**_EXACT)
def logsoftplus(ah, al):
    """log(softplus(u)); far below 0 by u − exp(u)/2, whose next term is less than the last digit."""
    if ah > -37.0:
        h, low = softplus(ah, al)
        return log(h, low)
    h, low = exp(ah, al)
    return add(ah, al, -0.5 * h, -0.5 * low)


@njit(**_EXACT)
def softplusratio(ah, al):
    """σ(u)/softplus(u); far below 0 by 1 − exp(u)/2, whose next term is less than the last digit."""
    if ah > -37.0:
        h, low = softplus(ah, al)
        h, low = inverse(h, low)
        sh, sl = sigmoid(ah, al)
        return mul(h, low, sh, sl)
    h, low = exp(ah, al)
    return add(1.0, 0.0, -0.5 * h, -0.5 * low)


@njit(**_EXACT)
def density(ah, al):
    qh, ql = mul(ah, al, ah, al)
    h, low = exp(-0.5 * qh, -0.5 * ql)
    return mul(h, low, _DENSITY_1, _DENSITY_2)


@njit(**_EXACT)
def phi(ah, al):
    """½ + φ(u)·Σ u^(2k+1)/(2k+1)!!, DLMF 7.6.2; far from 0, where nothing of two numbers is needed, one."""
    if not abs(ah) < 2.0:
        return phi64(ah), 0.0
    qh, ql = mul(ah, al, ah, al)
    th, tl = ah, al
    sh, sl = ah, al
    k = 3.0
    while abs(th) > 1e-33 * abs(sh):
        th, tl = mul(th, tl, qh, ql)
        part = th / k
        th, tl = _quick(part, (_fused(-part, k, th) + tl) / k)
        sh, sl = add(sh, sl, th, tl)
        k += 2.0
    h, low = density(ah, al)
    h, low = mul(h, low, sh, sl)
    return add(0.5, 0.0, h, low)


@njit(**_EXACT)
def geluslope(ah, al):
    """Φ(u) + u·φ(u); beside its zero r by Taylor's series there, φ(r)(2 − r²)(u − r) + …, since 32 digits of two terms
    that cancel leave too few of the nearest number.
    """
    dh, dl = add(ah, al, -_GELU_ROOT[0], -_GELU_ROOT[1])
    if abs(dh) < 1e-8:
        dh, dl = _quick(dh, dl - _GELU_ROOT[2])
        h, low = mul(dh, dl, 0.5 * _GELU_SECOND + dh * _GELU_THIRD / 6, 0.0)
        h, low = add(_GELU_FIRST[0], _GELU_FIRST[1], h, low)
        return mul(dh, dl, h, low)
    h, low = density(ah, al)
    h, low = mul(h, low, ah, al)
    ph, pl = phi(ah, al)
    return add(ph, pl, h, low)


@njit(**_EXACT)
def single_geluslope(v):
    """Φ(u) + u·φ(u) in one number."""
    return phi64(v) + v * density64(v)


@njit(**_EXACT)
def single_expm2(v):
    """exp(v) − 1 − v in one number."""
    if abs(v) < 1.0:
        tail = 0.0
        for k in range(19, 1, -1):
            tail = tail * v + _INVERSE_HIGH[k]
        return tail * v * v
    return (exp64(v) - 1.0) - v


@njit(**_EXACT)
def single_expm3(v):
    """exp(v) − 1 − v − v²/2 in one number."""
    if abs(v) < 1.0:
        tail = 0.0
        for k in range(19, 2, -1):
            tail = tail * v + _INVERSE_HIGH[k]
        return tail * v * v * v
    return ((exp64(v) - 1.0) - v) - 0.5 * v * v


@njit(**_EXACT)
def single_logsoftplus(v):
    """log(softplus(u)) in one number."""
    return math.log(softplus64(v)) if v > -37.0 else v - 0.5 * exp64(v)


@njit(**_EXACT)
def single_softplusratio(v):
    """σ(u)/softplus(u) in one number."""
    return sigmoid64(v) / softplus64(v) if v > -37.0 else 1.0 - 0.5 * exp64(v)
