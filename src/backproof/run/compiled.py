"""Primitives of compiled kernels: scalar functions that LLVM turns into vector instructions.

exp by Cody–Waite reduction and a polynomial, with what the reduction and the last sum round away; what saturates goes
through exp(−|u|), which cannot overflow. Sources:
W. Cody, W. Waite, Software manual for the elementary functions, 1980; S. Moshier, Cephes (tanh).
"""

# Numba compiles these functions for the types that it meets; types written here would say nothing to it.
# pyright: basic, reportCallIssue=false
# ruff: noqa: ANN001, ANN201, ANN202, D103, PLW0108, ARG001

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

# Called by compiled code alone: what Python would need to call them is left out, and not compiled.
_ALONE: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "error_model": "numpy"}
_PRECISE: Final[dict[str, Any]] = {"forceinline": True, "fastmath": {"contract"}} | _ALONE


@intrinsic
def _float32_of_bits(_: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@intrinsic
def _float64_of_bits(_: Any, bits: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@intrinsic
def _bits_of_float32(_: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


@intrinsic
def _bits_of_float64(_: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


_f = np.float32
_LOG2E32, _HI32, _LO32, _MAGIC32 = _f(1.4426950408889634), _f(0.693359375), _f(-2.12194440e-4), _f(12582912.0)
_E2, _E3, _E4, _E5, _E6, _E7 = _f(1 / 2), _f(1 / 6), _f(1 / 24), _f(1 / 120), _f(1 / 720), _f(1 / 5040)
_LEAST32, _MOST32, _INFINITE32 = _f(-87.33654), _f(88.72283), _f(np.inf)
_0, _1, _2, _HALF = _f(0), _f(1), _f(2), _f(0.5)
_INT23 = np.int32(23)


@njit(**_PRECISE)
def exp32(x):
    n = (x * _LOG2E32 + _MAGIC32) - _MAGIC32
    q = x - n * _HI32
    r = q - n * _LO32
    lost = (q - r) - n * _LO32
    p = ((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2
    s = _1 + r
    p = s + (((_1 - s) + r) + (p * r * r + lost))
    scaled = _float32_of_bits(_bits_of_float32(p) + (np.int32(n) << _INT23))
    return (_INFINITE32 if x > _MOST32 else scaled) if x >= _LEAST32 else (_0 if x < _LEAST32 else x)


_LOG2E64, _HI64, _LO64 = 1.4426950408889634, 6.93145751953125e-1, 1.42860682030941723212e-6
_MAGIC64 = 6755399441055744.0
_LEAST64, _MOST64 = -708.396418532264, 709.782712893384
_T = tuple(1 / math.factorial(k) for k in range(14))
_T2, _T3, _T4, _T5, _T6, _T7, _T8, _T9, _T10, _T11, _T12, _T13 = _T[2:]


@njit(**_PRECISE)
def exp64(x):
    n = (x * _LOG2E64 + _MAGIC64) - _MAGIC64
    q = x - n * _HI64
    r = q - n * _LO64
    lost = (q - r) - n * _LO64
    p = (((((_T13 * r + _T12) * r + _T11) * r + _T10) * r + _T9) * r + _T8) * r + _T7
    p = ((((p * r + _T6) * r + _T5) * r + _T4) * r + _T3) * r + _T2
    s = 1.0 + r
    p = s + (((1.0 - s) + r) + (p * r * r + lost))
    scaled = _float64_of_bits(_bits_of_float64(p) + (np.int64(n) << 52))
    return (np.inf if x > _MOST64 else scaled) if x >= _LEAST64 else (0.0 if x < _LEAST64 else x)


@njit(**_PRECISE)
def expdifference32(u, v):
    """The exponential of u − v for u ≤ v, with what the difference rounds away."""
    d = u - v
    t = d - u
    lost = (u - (d - t)) - (v + t)
    n = (d * _LOG2E32 + _MAGIC32) - _MAGIC32
    r = (d - n * _HI32) - n * _LO32
    p = ((((_E7 * r + _E6) * r + _E5) * r + _E4) * r + _E3) * r + _E2
    s = _1 + r
    p = s + (((_1 - s) + r) + p * r * r)
    e = _float32_of_bits(_bits_of_float32(p) + (np.int32(n) << _INT23))
    return e + e * lost if d >= _LEAST32 else (_0 if d < _LEAST32 else d)


@njit(**_PRECISE)
def expdifference64(u, v):
    d = u - v
    t = d - u
    lost = (u - (d - t)) - (v + t)
    e = exp64(d)
    return e + e * lost if d > _LEAST64 else e


@njit(**_PRECISE)
def sigmoid32(u):
    e = exp32(-abs(u))
    return (_1 if u > _0 else e) / (_1 + e)


@njit(**_PRECISE)
def sigmoid64(u):
    e = exp64(-abs(u))
    return (1.0 if u > 0.0 else e) / (1.0 + e)


_A3, _A5, _A7, _A9, _A11, _A13, _A15 = (_f(1 / k) for k in range(3, 16, 2))


@njit(**_PRECISE)
def softplus32(u):
    e = exp32(-abs(u))
    s = e / (_2 + e)
    q = s * s
    t = ((((((_A15 * q + _A13) * q + _A11) * q + _A9) * q + _A7) * q + _A5) * q + _A3) * q
    return max(u, _0) + _2 * (s + s * t)


_B = tuple(1 / k for k in range(3, 36, 2))
_B0, _B1, _B2, _B3, _B4, _B5, _B6, _B7, _B8, _B9, _B10, _B11, _B12, _B13, _B14, _B15, _B16 = _B


@njit(**_PRECISE)
def softplus64(u):
    e = exp64(-abs(u))
    s = e / (2.0 + e)
    q = s * s
    t = ((((((_B16 * q + _B15) * q + _B14) * q + _B13) * q + _B12) * q + _B11) * q + _B10) * q + _B9
    t = ((((((t * q + _B8) * q + _B7) * q + _B6) * q + _B5) * q + _B4) * q + _B3) * q + _B2
    t = ((t * q + _B1) * q + _B0) * q
    return max(u, 0.0) + 2.0 * (s + s * t)


_P0, _P1, _P2 = _f(-5.70498872745e-3), _f(2.06390887954e-2), _f(-5.37397155531e-2)
_P3, _P4, _SMALL32 = _f(1.33314422036e-1), _f(-3.33332819422e-1), _f(0.625)


@njit(**_PRECISE)
def tanh32(u):
    v = abs(u)
    q = u * u
    near = ((((_P0 * q + _P1) * q + _P2) * q + _P3) * q + _P4) * q * u + u
    far = _1 - _2 / (exp32(v + v) + _1)
    return near if v < _SMALL32 else (far if u > _0 else -far)


@njit(**_PRECISE)
def tanh64(u):
    v = abs(u)
    q = u * u
    p = (-9.64399179425052238628e-1 * q - 9.92877231001918586564e1) * q - 1.61468768441708447952e3
    d = ((q + 1.12811678491632931402e2) * q + 2.23548839060100448583e3) * q + 4.84406305325125486048e3
    near = p / d * q * u + u
    far = 1.0 - 2.0 / (exp64(v + v) + 1.0)
    return near if v < 0.625 else (far if u > 0.0 else -far)


def _through_libm(function: Callable[..., Any], narrow: Any) -> Any:
    """A function of the C library, computed in double precision and rounded once."""
    inner = njit(**_PRECISE)(function)

    def rounded(u):
        return narrow(inner(np.float64(u)))

    return njit(**_PRECISE)(rounded)


@njit(**_PRECISE)
def _density64(u):
    u = min(max(u, -1e6), 1e6) if not np.isnan(u) else u
    high = np.float64(np.float32(u))
    return 0.3989422804014327 * exp64(-0.5 * high * high) * exp64(-0.5 * (u - high) * (u + high))


@njit(**_PRECISE)
def _normal64(u):
    # u/√2 is rounded; in the tail the error counts u² times, and its first order puts it right.
    u = min(max(u, -1e6), 1e6) if not np.isnan(u) else u
    high = np.float64(np.float32(u))
    x = -0.7071067811865476 * u
    c = 0.707106769084930419921875  # √½ to 24 bits, so that the products below are exact
    back = ((-high * c - x) - (u - high) * c) - u * 1.2101617104478969e-8
    value = 0.5 * math.erfc(x)
    return value - 0.5641895835477563 * exp64(-x * x) * back


def _by_type(wide: Callable[..., Any]) -> tuple[Any, Any]:
    return _through_libm(wide, np.float32), _through_libm(wide, np.float64)


log32, log64 = _by_type(lambda u: math.log(u))
sin32, sin64 = _by_type(lambda u: math.sin(u))
cos32, cos64 = _by_type(lambda u: math.cos(u))
atan32, atan64 = _by_type(lambda u: math.atan(u))
erf32, erf64 = _by_type(lambda u: math.erf(u))
erfc32, erfc64 = _by_type(lambda u: math.erfc(u))
log1p32, log1p64 = _by_type(lambda u: math.log1p(u))
expm132, expm164 = _by_type(lambda u: math.expm1(u))
phi32, phi64 = _by_type(lambda u: _normal64(u))
density32, density64 = _by_type(lambda u: _density64(u))


@intrinsic
def gather(_: Any, sum: Any, term: Any) -> Any:
    """The sum and one more term, in as many lanes as the machine has: the order of the additions in a loop is free."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments, flags=("reassoc", "nsz"))

    return sum(sum, sum), generate


# Compiled once for all kernels, not into each.
_SHARED: Final[dict[str, Any]] = {"cache": True, "nogil": True} | _ALONE


@njit(**_SHARED)
def product(left, right, result):
    """Left times right, by BLAS."""
    np.dot(left, right, result)


@njit(fastmath={"nnan", "nsz", "reassoc"}, **_ALONE)
def _maximum(values):
    best = values[0]
    for k in range(len(values)):
        best = max(best, values[k])
    return best


_BLOCK: Final = 128


@njit(**_SHARED)
def place_of_largest(values):
    """The place of the largest value of a row; in a row with a NaN some place, and the NaN stays in its own entry."""
    size = len(values)
    best = _maximum(values[: min(size, _BLOCK)])
    first = 0
    for low in range(_BLOCK, size, _BLOCK):
        here = _maximum(values[low : min(size, low + _BLOCK)])
        if here > best:
            best, first = here, low
    for k in range(first, min(size, first + _BLOCK)):
        if values[k] == best:
            return k
    return 0


@njit(**_SHARED)
def largest(values):
    """The largest value of a row."""
    return values[place_of_largest(values)]
