"""Texts that are no formula: one clear error each, at its place, in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backproof.errors import BackproofError, FormulaError, LimitError
from backproof.language.grammar import parse, parse_all, parse_list
from backproof.language.notation import Notation

WRONG: list[tuple[str, int, str]] = [
    # text, the offset of the error, a part of what is said
    ("", 0, "no formula"),
    ("   ", 3, "no formula"),
    ("a +", 3, "ends too early"),
    ("a = ", 4, "ends too early"),
    ("= a", 0, "nothing stands before"),
    ("* a", 0, "cannot stand here"),
    ("a + * b", 4, "cannot stand here"),
    ("(a - y", 0, "never closed"),
    ("a - y)", 5, "closes nothing"),
    ("(a - y]", 6, "( is closed by ]"),
    (r"\frac{a}{b", 8, "never closed"),
    (r"\frac{a}", 8, "ends too early"),
    (r"a^{2", 2, "never closed"),
    ("a}", 1, "closes nothing"),
    (r"\left( a", 5, "never closed"),
    ("|x", 0, "never closed"),
    ("x^{}", 2, "nothing stands in this superscript"),
    ("()", 0, "nothing stands between"),
    (r"\foo + 1", 0, r"\foo is not a command"),
    (r"a + \sigm(z)", 4, r"\sigm is not a command"),
    (r"\begin{cases} x", 14, "has no \\end"),
    (r"\end{cases}", 0, "without its \\begin"),
    (r"\begin{proof} x \end{proof}", 0, "environment proof"),
    ("a \\", 2, "backslash"),
    ("a # b", 2, "means nothing in a formula"),
    ("a ☃ b", 2, "means nothing in a formula"),
    ("2 3", 2, "two numbers"),
    (r"a \propto b", 2, "proportional"),
    (r"\epsilon \sim N", 9, "distribution"),
    (r"\int f", 0, "integrals"),
    (r"\lim_{h \to 0} f", 0, "limits"),
    (r"a \pm b", 2, "two formulas at once"),
    (r"\|x\|_p", 6, "norm"),
    (r"\hat{a + b}", 0, "more than a name"),
    ("x_", 2, "ends too early"),
    ("(f(x))'", 6, "function's name"),
    ("a = b, c = d", 5, "more than one formula"),
    (r"a \text{ if } b", 2, "more than one formula"),
    (r"\partial^x f", 9, "cannot stand here"),
    (r"\partial^{12} f / \partial z", 9, "order of a derivative"),
    (r"\sum_{2} x", 5, "below a sum"),
    ("∂J/", 3, "ends too early"),
]


@pytest.mark.parametrize(("text", "offset", "says"), WRONG, ids=[w[0] or "empty" for w in WRONG])
def test_an_error_says_what_is_wrong_and_where(text: str, offset: int, says: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, "notes.md")
    error = caught.value
    assert says in error.what
    assert error.place is not None
    assert (error.place.text, error.place.start, error.place.source) == (text, offset, "notes.md")
    assert error.expected or error.next or "ends too early" in error.what or "two numbers" in error.what


def test_the_caret_stands_under_the_error() -> None:
    with pytest.raises(FormulaError) as caught:
        parse(r"a + \sigm(z)")
    assert caught.value.place is not None
    assert caught.value.place.caret() == "a + \\sigm(z)\n    ^^^^^"
    assert caught.value.next == "did you mean \\sigma or \\sim?"


def failure(read: Callable[[str], object], text: str) -> BackproofError | None:
    """The error that reading the text raises; any other exception is a failure of the test."""
    try:
        read(text)
    except BackproofError as error:
        return error
    return None


HUGE = {
    "parentheses": "(" * 100_000 + "x" + ")" * 100_000,
    "open parentheses": "(" * 90_000,
    "a megabyte": "a" * 1_000_000,
    "a long sum": "x+" * 500_000 + "x",
    "fractions": r"\frac{1}{" * 3_000 + "x" + "}" * 3_000,
    "fractions without braces": r"\frac" * 15_000,
    "roots": r"\sqrt" * 15_000,
    "sums": r"\sum_i " * 10_000,
    "logarithms": r"\log " * 9_000 + "x",
    "a tower": "9^" * 9_000 + "9",
    "quotients": "a/" * 9_000 + "a",
    "transposes": "x" + ".T" * 9_000,
    "subscripts of subscripts": "x_{" * 9_000 + "i" + "}" * 9_000,
    "bars": "|" * 9_000,
    "bars and letters": "|x" * 4_000,
    "conditionals": "p(" + "x|" * 4_000 + "x)",
    "lone differentials": "d " * 9_000,
    "differentials in parentheses": "d(" * 79 + "x" + ")" * 79,
    "nablas": "∇" * 9_000,
    "digits": "9" * 90_000,
    "an exponent of digits": "1e999999999",
    "ampersands": r"\begin{matrix}" + "&" * 9_000 + r"\end{matrix}",
    "line ends": "\\\\" * 9_000 + "x",
    "alternating signs": "a*b/c⊙" * 2_000 + "d",
    "two readings everywhere": "1/2m ab Σ_k a_k + b " * 200,
}


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("read", [parse, parse_all, parse_list])
def test_huge_texts_end_quickly_in_a_tree_or_a_clear_error(name: str, read: Callable[[str], object]) -> None:
    start = time.perf_counter()
    error = failure(read, HUGE[name])
    assert error is None or isinstance(error, LimitError | FormulaError)
    assert len(str(error)) < 2_000
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("name", ["parentheses", "a megabyte", "fractions", "a tower", "digits", "quotients"])
def test_what_is_too_large_is_a_limit(name: str) -> None:
    with pytest.raises(LimitError):
        parse(HUGE[name])


def test_a_tower_of_powers_is_only_a_tree() -> None:
    assert isinstance(parse("9^9^9^9"), Notation)


def test_seventy_levels_are_read() -> None:
    assert isinstance(parse("(" * 70 + "x" + ")" * 70), Notation)
    assert isinstance(parse(r"\frac{1}{" * 70 + "x" + "}" * 70), Notation)


PIECES = st.sampled_from(
    r"a y z W f' \sigma \frac { } ( ) [ ] \left( \right) \left. \right| | \| ^ _ + - * / · ⊙ @ = < , ; & \\ ' . 1 2.5 "
    r"\partial ∂ d dW \nabla \sum Σ _{k=1} ^{(l)} ^T \hat \text{if} \begin{cases} \end{cases} \begin{bmatrix} "
    r"\end{bmatrix} \log exp max sum( \mathbf \mathbb{1} \sqrt [2] \quad \underbrace if in ⁽ˡ⁾ ₖ ½ \{ \} .T ... ! : "
    r"\overset \underset \dv \pdv \not \operatorname{ReLU} \color{red} $ % ~ # \foo axis=0 "
    r"\middle| | ‖ √ → ∈ \over".split()
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).flatmap(lambda parts: st.sampled_from([" ".join(parts), "".join(parts)])))
@example("\\not")
@example("\\underset{i}")
@example("d^")
@example("\\left.x\\right|_")
@example("\\frac{d}{d}")
def test_any_pieces_of_formulas_raise_only_our_errors(text: str) -> None:
    for read in (parse, parse_all, parse_list):
        error = failure(read, text)
        place = error.place if error is not None else None
        assert place is None or 0 <= place.start <= len(text)
        assert place is None or "^" in place.caret()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text_raises_only_our_errors(text: str) -> None:
    for read in (parse, parse_all, parse_list):
        assert str(failure(read, text))
