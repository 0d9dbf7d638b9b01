"""Notation as LaTeX that needs only amsmath, and the packages cancel and xcolor where a part is marked."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from backproof.errors import LimitError
from backproof.language.letters import GREEK, LATEX_LETTERS
from backproof.language.notation import (
    Absolute,
    Big,
    Bracketed,
    Call,
    Cases,
    Derivative,
    Entry,
    Indicator,
    Marked,
    Matrix,
    Negative,
    Norm,
    Notation,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Relation,
    Symbol,
    Transposed,
    Words,
)
from backproof.language.precedence import needs_brackets, unmarked
from backproof.language.scope import LOSS_LETTERS
from backproof.language.spelling import compact, decimal
from backproof.language.traversal import fold, parts

MAX_CHARACTERS: Final = 1_000_000

PAIR_COLOURS: Final = ("blue", "orange", "teal", "violet", "red", "olive")
"""Names of xcolor, one for each pair in turn."""

PRODUCTS: Final = {
    "": " ",
    "@": " ",
    "*": " \\cdot ",
    "·": " \\cdot ",
    "×": " \\times ",
    "⊙": " \\odot ",
    "⊗": " \\otimes ",
}
RELATIONS: Final = {
    "≠": "\\neq",
    "≤": "\\le",
    "≥": "\\ge",
    "≈": "\\approx",
    "∈": "\\in",
    "→": "\\to",
    "←": "\\leftarrow",
    "≡": "\\equiv",
    ":=": "\\mathrel{:=}",
}
BIGS: Final = {
    "sum": "\\sum",
    "prod": "\\prod",
    "max": "\\max",
    "min": "\\min",
    "mean": "\\operatorname*{mean}",
}
ACCENTS: Final = {
    "hat": "\\hat",
    "bar": "\\bar",
    "tilde": "\\tilde",
    "dot": "\\dot",
    "vec": "\\vec",
    "check": "\\check",
}
FUNCTIONS: Final = frozenset({"exp", "ln", "log", "sin", "cos", "tan", "tanh", "sinh", "cosh", "max", "min", "arctan"})
"""Functions that LaTeX has a command for."""

ESCAPES: Final = str.maketrans({"_": "\\_", "%": "\\%", "&": "\\&", "#": "\\#", "$": "\\$", "{": "\\{", "}": "\\}"})


def typeset(notation: Notation, *, cancel: bool = True) -> str:
    r"""The formula in LaTeX, without dollar signs.

    A marked part takes the colour of its pair; a struck one is cancelled, unless `cancel` is off, as some notebooks
    do not draw it. Raises LimitError for a formula of more than a million characters.

    >>> from backproof.language.notation import Number, Power, Symbol
    >>> typeset(Power(Symbol("sigma"), Number(2)))
    '\\sigma^{2}'
    """
    return fold(notation, _Typesetter(cancel).rule).whole


@dataclass(frozen=True, slots=True)
class _Set:
    """Text of one piece, what a mark puts around it, and whether it is taller than a letter."""

    text: str
    tall: bool = False
    before: str = ""
    after: str = ""

    @property
    def whole(self) -> str:
        return self.before + self.text + self.after

    def bracketed(self) -> _Set:
        return _Set(_parentheses(self.text, tall=self.tall), self.tall, self.before, self.after)


def _parentheses(text: str, *, tall: bool) -> str:
    return f"\\left({text}\\right)" if tall else f"({text})"


@dataclass(frozen=True, slots=True)
class _Typesetter:
    cancel: bool

    def rule(self, node: Notation, inside: tuple[_Set, ...]) -> _Set:
        if isinstance(node, Marked):
            return self.mark(node, inside[0])
        children = parts(node)
        boxes = [
            box.bracketed() if needs_brackets(node, place, child, stacked=True) else box
            for place, (child, box) in enumerate(zip(children, inside, strict=True))
        ]
        tall = isinstance(node, Quotient | Derivative | Cases | Matrix) or (
            isinstance(node, Big) and bool(node.indices or node.lower)
        )
        text = self.text(node, [box.whole for box in boxes], tall=any(box.tall for box in boxes))
        if len(text) > MAX_CHARACTERS:
            raise LimitError(
                "a formula is too long to typeset",
                expected=f"at most {MAX_CHARACTERS} characters",
                got=f"more than {len(text)}",
                next="give names to parts of the formula",
            )
        return _Set(text, tall or any(box.tall for box in boxes))

    def mark(self, node: Marked, inside: _Set) -> _Set:
        before, after = inside.before, inside.after
        if node.struck and self.cancel:
            before, after = "\\cancel{" + before, after + "}"
        if node.pair:
            colour = PAIR_COLOURS[(node.pair - 1) % len(PAIR_COLOURS)]
            before, after = f"\\textcolor{{{colour}}}{{" + before, after + "}"
        return _Set(inside.text, inside.tall, before, after)

    def text(self, node: Notation, shown: list[str], *, tall: bool) -> str:
        match node:
            case Number(value):
                return _number(value)
            case Symbol():
                return self.symbol(node, shown)
            case Negative():
                return "-" + shown[0]
            case Plus(terms):
                first = ("-" if terms[0][0] < 0 else "") + shown[0]
                return first + "".join(
                    f" {'-' if sign < 0 else '+'} {term}" for (sign, _), term in zip(terms[1:], shown[1:], strict=True)
                )
            case Product(sign, factors):
                text = shown[0]
                for left, right, written in zip(factors, factors[1:], shown[1:], strict=False):
                    text += _between(sign, unmarked(left), unmarked(right), written) + written
                return text
            case Quotient():
                return f"\\frac{{{shown[0]}}}{{{shown[1]}}}"
            case Power():
                return f"{_grouped(shown[0])}^{{{shown[1]}}}"
            case Transposed():
                return f"{_grouped(shown[0])}^{{\\top}}"
            case Call():
                return self.call(node, shown, tall=tall)
            case Derivative():
                return self.derivative(node, shown)
            case Big():
                return self.big(node, shown, tall=tall)
            case Relation(_, signs):
                return shown[0] + "".join(
                    f" {RELATIONS.get(sign, sign)} {side}" for sign, side in zip(signs, shown[1:], strict=True)
                )
            case Indicator():
                return f"\\left[{shown[0]}\\right]" if tall else f"[{shown[0]}]"
            case Cases(cases):
                left = iter(shown)
                rows = [
                    f"{next(left)} & \\text{{otherwise}}" if c is None else f"{next(left)} & \\text{{if }} {next(left)}"
                    for _, c in cases
                ]
                return "\\begin{cases} " + " \\\\ ".join(rows) + " \\end{cases}"
            case Entry():
                return f"{shown[0]}_{{{_joined(shown[1:])}}}"
            case Absolute():
                return f"\\left|{shown[0]}\\right|"
            case Norm(_, kind):
                return f"\\left\\|{shown[0]}\\right\\|_{{{kind}}}"
            case Matrix(rows):
                left = iter(shown)
                written = [" & ".join(next(left) for _ in row) for row in rows]
                return "\\begin{pmatrix} " + " \\\\ ".join(written) + " \\end{pmatrix}"
            case Bracketed():
                return _parentheses(shown[0], tall=tall)
            case Words(text):
                return f"\\text{{{text.translate(ESCAPES)}}}"
            case _:
                raise TypeError(f"not notation: {type(node).__name__}")

    def symbol(self, node: Symbol, shown: list[str]) -> str:
        stem = node.name.rstrip("0123456789")
        if len(stem) == 1 and stem != node.name and not (node.subscripts or node.accent):
            text = f"{stem}_{{{node.name[1:]}}}"
        else:
            text = LATEX_LETTERS.get(node.name) or (
                node.name if len(node.name) == 1 else f"\\mathrm{{{node.name.translate(ESCAPES)}}}"
            )
        if node.accent is not None:
            text = f"{ACCENTS[node.accent]}{{{text}}}"
        if node.subscripts:
            text += f"_{{{_joined(shown[: len(node.subscripts)])}}}"
        above = (f"({compact(shown[-1])})" if node.label is not None else "") + node.star
        return text + (f"^{{{above}}}" if above else "")

    def call(self, node: Call, shown: list[str], *, tall: bool) -> str:
        inside = ", ".join(shown[1 : 1 + len(node.arguments)])
        function = unmarked(node.function)
        plain = isinstance(function, Symbol) and not function.subscripts and function.label is None
        name = function.name if isinstance(function, Symbol) else ""
        if name == "sqrt" and len(node.arguments) == 1 and node.power is None and not node.primes:
            return f"\\sqrt{{{inside}}}"
        written = shown[0]
        if plain and name in FUNCTIONS:
            written = "\\" + name
        elif plain and len(name) > 1 and name not in GREEK and name != "ell":
            written = f"\\operatorname{{{name.replace('_', '-').translate(ESCAPES)}}}"
        written += "'" * node.primes
        if node.power is not None:
            written = f"{{{written}}}^{{{shown[-1]}}}" if node.primes else f"{written}^{{{shown[-1]}}}"
        if name in ("ln", "log") and not node.primes and isinstance(unmarked(node.arguments[0]), Symbol):
            return f"{written} {inside}"
        return written + _parentheses(inside, tall=tall)

    def derivative(self, node: Derivative, shown: list[str]) -> str:
        wrt = shown[-1]
        of = shown[0] if node.of is not None else ""
        order = "" if node.order == 1 else f"^{{{node.order}}}"
        match node.style:
            case "nabla":
                return ("\\nabla" if node.wrt == Words("") else f"\\nabla_{{{wrt}}}") + f" {of}".rstrip()
            case "prefix":
                return f"d{wrt}" if not wrt.startswith("\\") else f"d {wrt}"
            case "total":
                return f"\\frac{{d{order} {of}}}{{d {wrt}{order}}}"
            case _:
                return f"\\frac{{\\partial{order} {of}}}{{\\partial {wrt}{order}}}"

    def big(self, node: Big, shown: list[str], *, tall: bool) -> str:
        left = iter(shown)
        body = next(left)
        lower = next(left) if node.lower is not None else None
        upper = next(left) if node.upper is not None else None
        without = list(left)
        if not node.indices and lower is None:
            return f"\\operatorname{{{node.kind}}}{_parentheses(body, tall=tall)}"
        below = ", ".join(LATEX_LETTERS.get(name, name) for name in node.indices)
        if lower is not None:
            below = f"{below} = {lower}" if below and not isinstance(node.lower, Relation) else lower
        if without:
            below += " \\neq " + ", ".join(without)
        over = "" if upper is None else f"^{{{upper}}}"
        return f"{BIGS[node.kind]}_{{{below}}}{over} {body}"


def _joined(subscripts: list[str]) -> str:
    return " ".join(subscripts) if all(len(s) == 1 and s.isalpha() for s in subscripts) else ", ".join(subscripts)


def _number(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    written = decimal(abs(value))
    return sign + (written or f"\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}")


def _grouped(base: str) -> str:
    """The base in braces where a second superscript would be an error."""
    return f"{{{base}}}" if "^" in base and not base.endswith(")") else base


def _between(sign: str, left: Notation, right: Notation, written: str) -> str:
    if sign == "" and isinstance(right, Number):
        return " \\cdot "
    if sign == "" and written.startswith(("(", "\\left(")) and not isinstance(left, Call):
        # J(θ) would be the loss as a function.
        name = left.base if isinstance(left, Power) else left
        return " \\cdot " if isinstance(name, Symbol) and name.name in LOSS_LETTERS else ""
    return PRODUCTS[sign]
