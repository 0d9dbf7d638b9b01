"""Hand-made lessons and judgements through every printer: nothing here needs a derivation."""

from __future__ import annotations

from fractions import Fraction

from backproof.explain.judgement import Judgement, Row, exact
from backproof.explain.latex import judgements_latex, lesson_latex
from backproof.explain.lesson import Lesson, Line, Passage
from backproof.explain.markdown import code, judgements_markdown, lesson_markdown
from backproof.explain.terminal import judgements_text, lesson_text
from backproof.language.notation import Big, Marked, Notation, Number, Plus, Product, Quotient, Relation, Symbol
from backproof.language.text import write
from backproof.proof.verdict import Kind

A, Y, DELTA = Symbol("a"), Symbol("y"), Symbol("delta")
ERROR = Plus(((1, A), (-1, Y)))
SUM_IS_ONE = Relation((Big("sum", Y), Number(Fraction(1))), ("=",))


def cancelled() -> Notation:
    top = Product("", (ERROR, Marked(A, 1, struck=True)))
    return Quotient(top, Marked(A, 1, struck=True))


def lesson() -> Lesson:
    lines = (
        Line(DELTA, cancelled(), "a cancels", Kind.PROVED),
        Line(DELTA, ERROR, "what is left, since σ′ = a(1 − a)", Kind.PROVED, (SUM_IS_ONE,)),
    )
    return Lesson("sigmoid with bce", (Relation((A, Symbol("z")), ("=",)),), (Passage("delta_L", "error", lines),))


def judgement() -> Judgement:
    rows = (
        Row("likely cause", ("extra-slope: ", Symbol("f"), " was kept")),
        Row("counter-example", (Relation((Symbol("z"), exact(Fraction(-1, 2))), ("=",)), ", ", "yours 0.1")),
    )
    equation = Relation((DELTA, ERROR), ("=",))
    return Judgement("(a - y) f'(z)", "refuted", equation, equation, rows)


def test_text() -> None:
    shown = lesson_text(lesson())
    assert "needs sum(y) = 1" in shown
    assert "│ δ = a − y" in shown
    assert shown.count("✓ proved") == 3
    assert "\x1b" not in shown
    assert all(line == line.rstrip() for line in shown.split("\n"))


def test_text_in_ascii_has_nothing_else() -> None:
    assert lesson_text(lesson(), ascii=True).isascii()
    assert judgements_text([judgement()], ascii=True).isascii()


def test_cancelled_factors_are_numbered_where_no_colour_shows_them() -> None:
    assert lesson_text(lesson()).count("[1]") == 2


def test_a_narrow_terminal_gets_one_line_formulas() -> None:
    shown = lesson_text(lesson(), width=40)
    assert write(cancelled()) in shown
    body = shown.split("╭")[0]
    assert all(len(line) <= 46 for line in body.splitlines())


def test_text_of_a_judgement() -> None:
    shown = judgements_text([judgement()])
    assert shown.splitlines()[:2] == ["read as  δ = a − y", "correct  δ = a − y"]
    assert "✗ refuted" in shown
    assert "extra-slope: f was kept" in shown


def test_latex_stands_alone() -> None:
    shown = lesson_latex(lesson()) + judgements_latex([judgement()])
    assert shown.count(r"\begin{document}") == shown.count(r"\end{document}") == 2
    assert r"\cancel{a}" in shown
    assert shown.isascii()
    for environment in ("align*", "description"):
        assert shown.count(f"\\begin{{{environment}}}") == shown.count(f"\\end{{{environment}}}")


def test_markdown_is_a_numbered_list() -> None:
    shown = lesson_markdown(lesson())
    assert "1. a cancels (✓ proved)" in shown
    assert "   $$= a - y$$" in shown
    assert "needs $" in shown


def test_markdown_of_a_judgement() -> None:
    shown = judgements_markdown([judgement()])
    assert shown.startswith("## ✗ refuted: `(a - y) f'(z)`")
    assert "- correct: $\\delta = a - y$" in shown


def test_code_survives_backticks() -> None:
    assert code("a`b``c") == "```a`b``c```"
    assert code("`a`") == "`` `a` ``"


def test_exact_numbers() -> None:
    assert write(exact((Fraction(1, 2), Fraction(-3)))) == "[½, −3]"
    assert write(exact(((Fraction(1), Fraction(2)), (Fraction(3), Fraction(4))))) == "[1, 2; 3, 4]"
