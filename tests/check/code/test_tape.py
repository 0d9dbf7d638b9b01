from __future__ import annotations

import numpy as np
import pytest

from backproof.check.code.problem import Problem
from backproof.check.code.tape import sweep, tangents
from backproof.check.code.truth import traced

RNG = np.random.default_rng(2)
A, B, V = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 3)), RNG.uniform(0.5, 2.0, size=5)

FUNCTIONS = {
    "elementwise": (lambda a: np.sum(np.exp(a) * np.tanh(a) / (1 + a**2) - np.sqrt(np.abs(a))), A),
    "mean and variance": (lambda a: np.sum(a.mean(axis=0) ** 3 + a.var(axis=0) + a.std()), A),
    "matmul": (lambda a: np.sum((a @ B) ** 2 @ a), A),
    "einsum": (lambda a: np.einsum("ij,kj,ik->", a, a, A @ A.T), A),
    "tensordot": (lambda a: np.sum(np.tensordot(a, B, axes=([1], [0])) ** 2), A),
    "maximum": (lambda a: np.sum(np.maximum(a, 0) * A) + np.max(a) + np.sum(a.min(axis=1) ** 2), A),
    "where": (lambda a: np.sum(np.where(a > 0.1, a**2, 3 * a)), A),
    "shapes": (lambda a: np.sum(a.reshape(2, 6).T[1:, ::-1] ** 2 * np.arange(2)), A),
    "parts": (lambda a: np.sum(np.concatenate([a, a[:1] ** 2], axis=0) ** 2) + np.sum(np.stack([a, a * a])), A),
    "pad": (lambda a: np.sum(np.pad(a, ((1, 1), (0, 2)))[:-1, 1:] ** 3), A),
    "power": (lambda v: np.sum(v**2.5 + 2.0**v), V),
    "log": (lambda v: np.sum(np.log(v) * np.log1p(v) + np.cumsum(v) ** 2), V),
    "repeated index": (lambda v: np.sum(v[[0, 0, 3, 0]] ** 2 * np.arange(1, 5)), V),
    "written in": (lambda v: _written(v), V),  # noqa: PLW0108 - it is defined below
    "norm": (lambda a: np.linalg.norm(a) + np.sum(np.linalg.norm(a, axis=1)), A),
}


def _written(v):
    whole = np.zeros(7)
    whole[1:6] = v
    whole[2] += v[0] * v[1]
    return np.sum(whole**3)


def numeric(function, at):
    slope = np.zeros_like(at)
    for k in range(at.size):
        step = np.zeros(at.size)
        step[k] = 1e-6
        step = step.reshape(at.shape)
        slope.flat[k] = (function(at + step) - function(at - step)) / 2e-6
    return slope


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_sweep_agrees_with_central_differences(name):
    function, at = FUNCTIONS[name]
    problem = Problem(function, lambda a: a, (at,))
    trace = traced(problem, frozenset([__file__]), [globals()])
    (input_name,) = trace.tape.inputs
    found = sweep(trace.nodes, trace.output).at(trace.tape.inputs[input_name])
    np.testing.assert_allclose(found, numeric(function, at), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangents_and_cotangents_agree(name):
    function, at = FUNCTIONS[name]
    trace = traced(Problem(function, lambda a: a, (at,)), frozenset([__file__]), [globals()])
    (input_name,) = trace.tape.inputs
    direction = RNG.normal(size=at.shape)
    forwards = tangents(trace.nodes, {input_name: direction})[trace.output.number]
    backwards = np.sum(sweep(trace.nodes, trace.output).at(trace.tape.inputs[input_name]) * direction)
    np.testing.assert_allclose(forwards, backwards, rtol=1e-9)


def test_the_names_of_the_file_are_put_back():
    traced(Problem(_written, lambda v: v, (V,)), frozenset([__file__]), [globals()])
    assert globals()["np"] is np
    assert "float" not in globals()
