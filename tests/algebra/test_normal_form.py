from __future__ import annotations

import pytest
from algebra.identities import ASSUMPTIONS, CLAIMS, Claim

from backproof.algebra import Algebra


@pytest.mark.parametrize("claim", CLAIMS, ids=repr)
def test_corpus(claim: Claim):
    assert Algebra(ASSUMPTIONS).equal(claim.left, claim.right) is claim.true
