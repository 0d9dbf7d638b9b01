"""Real data that comes with the package: 1,797 handwritten digits."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Digits:
    """Images as rows of 64 numbers from 0 to 1, shape (1797, 64), and their digits, shape (1797,)."""

    inputs: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def one_hot(self) -> NDArray[np.float64]:
        """The digits as rows with a single 1, shape (1797, 10)."""
        import numpy as np

        return np.eye(10)[self.labels]


def digits() -> Digits:
    """The 8×8 digits of the UCI repository, pixels scaled to 0 … 1.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998,
    licence CC BY 4.0.

    >>> digits().inputs.shape
    (1797, 64)
    """
    import numpy as np

    with (files("backproof") / "data" / "digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return Digits(images.reshape(-1, 64) / 16.0, labels.astype(np.int64))
