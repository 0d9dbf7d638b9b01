"""The catalogue: functions, activations, losses and layers as data, found by any of their written names."""

from __future__ import annotations

from backproof.catalog.definitions import applied, scalar_definition, slope, vector_definition
from backproof.catalog.entry import Activation, Axiom, Entry, Function, Hyperparameter, Loss, Prediction, Target
from backproof.catalog.layer_programs import arriving, layer_program, operand
from backproof.catalog.layers import Layer, LayerForm, Operand
from backproof.catalog.lookup import (
    activation,
    activations,
    axioms,
    find,
    find_layer,
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
    "Operand",
    "Prediction",
    "Target",
    "activation",
    "activations",
    "applied",
    "arriving",
    "axioms",
    "find",
    "find_layer",
    "function",
    "functions",
    "is_axiom",
    "layer_program",
    "layers",
    "loss",
    "losses",
    "operand",
    "plain_name",
    "scalar_definition",
    "slope",
    "spelled",
    "symbols",
    "vector_definition",
]
