"""The catalogue: functions, activations, losses and layers as data, found by any of their written names."""

from __future__ import annotations

from backproof.catalog.definitions import applied, scalar_definition, slope, vector_definition
from backproof.catalog.entry import Activation, Axiom, Entry, Function, Hyperparameter, Loss, Prediction, Target
from backproof.catalog.layers import Layer, LayerForm
from backproof.catalog.lookup import (
    activation,
    activations,
    axioms,
    find,
    function,
    functions,
    is_axiom,
    layers,
    loss,
    losses,
    plain_name,
    spelled,
    symbols,
)

__all__ = [
    "Activation",
    "Axiom",
    "Entry",
    "Function",
    "Hyperparameter",
    "Layer",
    "LayerForm",
    "Loss",
    "Prediction",
    "Target",
    "activation",
    "activations",
    "applied",
    "axioms",
    "find",
    "function",
    "functions",
    "is_axiom",
    "layers",
    "loss",
    "losses",
    "plain_name",
    "scalar_definition",
    "slope",
    "spelled",
    "symbols",
    "vector_definition",
]
