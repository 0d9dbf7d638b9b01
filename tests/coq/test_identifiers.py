from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from backproof.coq.identifiers import RESERVED, Identifiers, plain


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=30))
def test_names_are_valid_distinct_and_free(texts):
    names = Identifiers()
    made = [names.of(t) for t in texts]
    assert len(set(made)) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", m) for m in made)
    assert not RESERVED.intersection(made)
    assert made == [names.of(t) for t in texts]


def test_a_name_cannot_close_a_comment_or_a_sentence():
    assert plain("x *) Qed. Axiom") == "x_Qed_Axiom"
