"""Products of arrays on a tape: dot, tensordot and einsum, each as one operation."""

# A person's values have any type, and NumPy's stubs leave much unknown.
# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from __future__ import annotations

from typing import Any, Final

import numpy as np

from backproof.check.code.tracing import Recorder, Traced, plain


def lift(r: Recorder, a: Any) -> Traced:
    """A value as a traced one."""
    a = r.gathered(a)
    return a if isinstance(a, Traced) else r.constant(np.asarray(a))


def dot(r: Recorder, a: Any, b: Any, out: Any = None) -> Traced:
    """NumPy's dot: a product of arrays, or with a number."""
    del out
    if np.ndim(plain(a)) == 0 or np.ndim(plain(b)) == 0:
        return r.op("multiply", a, b)
    if np.ndim(plain(b)) > 2:
        return tensordot(r, a, b, axes=((np.ndim(plain(a)) - 1,), (np.ndim(plain(b)) - 2,)))
    return r.op("matmul", a, b)


LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def tensordot(r: Recorder, a: Any, b: Any, axes: Any = 2) -> Traced:
    """A product summed over pairs of axes."""
    first, second = np.ndim(plain(a)), np.ndim(plain(b))
    if isinstance(axes, int):
        left, right = list(range(first - axes, first)), list(range(axes))
    else:
        left, right = ([int(k) for k in (side if isinstance(side, tuple | list) else (side,))] for side in axes)
    a_letters = list(LETTERS[:first])
    b_letters = list(LETTERS[first : first + second])
    for i, j in zip(left, right, strict=True):
        b_letters[j % second] = a_letters[i % first]
    gone = {i % first for i in left}, {j % second for j in right}
    out = [x for k, x in enumerate(a_letters) if k not in gone[0]] + [
        x for k, x in enumerate(b_letters) if k not in gone[1]
    ]
    return einsum(r, f"{''.join(a_letters)},{''.join(b_letters)}->{''.join(out)}", a, b)


def einsum(r: Recorder, subscripts: Any, *operands: Any, **_: Any) -> Traced:
    """A product with its axes named by letters; an ellipsis and repeated letters are spelled out first."""
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    if "." in text:
        most = 0
        for term, operand in zip(terms, operands, strict=True):
            if "..." in term:
                most = max(most, np.ndim(plain(operand)) - len(term.replace("...", "")))
        free = [x for x in LETTERS if x not in text][:most]
        for k, (term, operand) in enumerate(zip(list(terms), operands, strict=True)):
            if "..." in term:
                count = np.ndim(plain(operand)) - len(term.replace("...", ""))
                terms[k] = term.replace("...", "".join(free[most - count :]))
        out = (
            out.replace("...", "".join(free))
            if arrow
            else "".join(free) + "".join(sorted(x for x in set(left) if x.isalpha() and left.count(x) == 1))
        )
    elif not arrow:
        out = "".join(sorted(x for x in set(left) if x.isalpha() and left.count(x) == 1))
    arrays: list[Any] = []
    for k, (term, operand) in enumerate(zip(list(terms), operands, strict=True)):
        own = lift(r, operand)
        while len(set(term)) < len(term):
            letter = next(x for x in term if term.count(x) > 1)
            first, second = term.index(letter), term.rindex(letter)
            count = own.shape[first]
            moved = own.transpose([first, second, *(j for j in range(own.ndim) if j not in (first, second))])
            own = moved[np.arange(count), np.arange(count)]
            term = letter + "".join(x for j, x in enumerate(term) if j not in (first, second))
        terms[k] = term
        arrays.append(own)
    return r.op("einsum", *arrays, attr=",".join(terms) + "->" + out)
