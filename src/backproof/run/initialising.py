"""Initial weights: named ways to draw them, each from a seed.

Glorot & Bengio 2010, eq. 16; He et al. 2015, eq. 10. `course` is the uniform ±0.12 of the digits exercise, `sine` the
fixed weights sin(1 … n)/10 of its gradient check.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backproof.errors import UsageError
from backproof.run.interface import Place

INITIALISERS: Final = ("auto", "glorot", "he", "course", "sine", "zeros")


def initial(places: Sequence[Place], how: str, hidden: str, seed: int, dtype: Any) -> NDArray[Any]:
    """A vector of parameters; biases start at 0, but for `course` and `sine`, which draw them like weights.

    `auto` is He's for activations that cut at 0 and Glorot's for all others.
    """
    if how not in INITIALISERS:
        raise UsageError(f"there is no initialiser {how!r}", expected=", ".join(INITIALISERS), got=how)
    generator = np.random.default_rng(seed)
    theta = np.zeros(sum(p.length for p in places), dtype)
    if how == "auto":
        how = "he" if "relu" in hidden or "lu" in hidden else "glorot"
    for place in places:
        part = slice(place.start, place.start + place.length)
        if how == "sine":
            # The exercise fills W (out × in) column by column.
            values = np.sin(np.arange(1, place.length + 1)) / 10
            theta[part] = values if len(place.shape) == 2 else values[: place.length]
        elif how == "course":
            theta[part] = generator.uniform(-0.12, 0.12, place.length)
        elif len(place.shape) == 2 and how != "zeros":
            fan_in, fan_out = place.shape
            limit = np.sqrt(6 / (fan_in + fan_out)) if how == "glorot" else np.sqrt(6 / fan_in)
            theta[part] = generator.uniform(-limit, limit, place.length)
    return theta
