"""Exact algebra: normal forms of formulas over indexed tensors of any size, and proofs that two are equal."""

from backproof.algebra.budget import Limits, OutOfBudget, Undefined
from backproof.algebra.normal_form import Algebra
from backproof.algebra.polynomial import Poly

__all__ = ["Algebra", "Limits", "OutOfBudget", "Poly", "Undefined"]
