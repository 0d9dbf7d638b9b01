"""Layers: how z comes from the activations below, in the three layouts, as definitions in index notation.

The index e runs over the examples of a batch. In `columns` an example is a column, in the other two it is a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LayerForm:
    """One layout of a layer: the definition for one example and for a batch, and the same in matrix notation."""

    layout: str
    one_example: str
    batch: str
    matrices: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer with its parameters and its definition in each layout."""

    name: str
    aliases: tuple[str, ...] = ()
    parameters: tuple[str, ...]
    forms: tuple[LayerForm, ...]
    source: str


LAYERS: Final = (
    Layer(
        name="dense",
        aliases=("linear", "fully-connected", "affine"),
        parameters=("W", "b"),
        forms=(
            LayerForm("columns", "z_i = sum_j W_ij*x_j + b_i", "Z_ie = sum_j W_ij*X_je + b_i", "Z = W X + b"),
            LayerForm("rows", "z_i = sum_j x_j*W_ji + b_i", "Z_ei = sum_j X_ej*W_ji + b_i", "Z = X W + b"),
            LayerForm("rows-out-in", "z_i = sum_j x_j*W_ij + b_i", "Z_ei = sum_j X_ej*W_ij + b_i", "Z = X W^T + b"),
        ),
        source="Goodfellow, Bengio & Courville 2016, Deep learning, section 6.5.4",
    ),
)
