"""Notation as MathML Core, the mathematics that browsers draw without help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from backproof.errors import LimitError
from backproof.explain.speech import spoken
from backproof.language.letters import GLYPHS
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
from backproof.language.spelling import decimal
from backproof.language.traversal import fold, parts

MAX_CHARACTERS: Final = 200_000
# The pieces of a formula are kept while it is built: a chain of them costs the square of its length.
PAIR_COLOURS: Final = 6
"""How many colours a style sheet has for pairs; the next pair starts again."""

ACCENTS: Final = {"hat": "ˆ", "bar": "¯", "tilde": "˜", "dot": "˙", "vec": "→", "check": "ˇ"}
PRODUCTS: Final = {"": "\u2062", "@": "\u2062", "*": "⋅", "·": "⋅", "×": "×", "⊙": "⊙", "⊗": "⊗"}
BIGS: Final = {"sum": "∑", "prod": "∏"}
THIN: Final = '<mspace width="0.1667em"></mspace>'
WIDE: Final = '<mspace width="1em"></mspace>'
APPLY: Final = "<mo>\u2061</mo>"


def formula(notation: Notation, *, block: bool = False, equals: bool = False) -> str:
    """The formula as one `<math>` element with its words as alternative text.

    `block` gives sums their limits below and fractions their full size; `equals` puts an equals sign in front.
    Raises LimitError for a formula of more than 200,000 characters.
    """
    before = '<mo form="infix">=</mo>' if equals else ""
    words = escape(("equals " if equals else "") + spoken(notation), quote=True)
    style = ' displaystyle="true"' if block else ""
    return f'<math{style} alttext="{words}">{before}{presentation(notation)}</math>'


def presentation(notation: Notation) -> str:
    """The formula as one presentation element, to stand inside of `<math>`.

    >>> from fractions import Fraction
    >>> presentation(Power(Symbol("x"), Number(Fraction(2))))
    '<msup><mi>x</mi><mn>2</mn></msup>'
    """
    return fold(notation, _rule).markup


@dataclass(frozen=True, slots=True)
class _Set:
    """One piece: its markup, a tighter form for scripts, whether it is tall, and the scripts of a bare symbol."""

    text: str
    tight: str = ""
    tall: bool = False
    scripts: tuple[str, str, str] | None = None
    before: str = ""
    after: str = ""

    @property
    def markup(self) -> str:
        return self.before + self.text + self.after

    @property
    def script(self) -> str:
        return self.tight or self.markup

    def bracketed(self) -> _Set:
        return _Set(_row(_fenced(self.text, tall=self.tall)), tall=self.tall, before=self.before, after=self.after)


def _rule(node: Notation, inside: tuple[_Set, ...]) -> _Set:
    if isinstance(node, Marked):
        return _marked(node, inside[0])
    pieces = [
        piece.bracketed() if needs_brackets(node, place, child, stacked=True) else piece
        for place, (child, piece) in enumerate(zip(parts(node), inside, strict=True))
    ]
    made = _made(node, pieces)
    if len(made.text) > MAX_CHARACTERS:
        raise LimitError(
            "a formula is too long to draw",
            expected=f"at most {MAX_CHARACTERS} characters of MathML",
            got=f"more than {len(made.text)}",
            next="give names to parts of the formula",
        )
    return made


def _marked(node: Marked, inside: _Set) -> _Set:
    colour = f"p{(node.pair - 1) % PAIR_COLOURS + 1}" if node.pair else "marked"
    tag = f'<mtext class="pair">{_circled(node.pair)}</mtext>' if node.pair else ""
    before, after = f'<mrow class="{colour}">{tag}', "</mrow>"
    if node.struck:
        # The stroke is the background of a row of its own, so that it does not cross the number.
        before, after = before + '<mrow class="struck">', "</mrow>" + after
    return _Set(inside.text, tall=inside.tall, before=before + inside.before, after=inside.after + after)


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if number <= 20 else f"[{number}]"


def _made(node: Notation, pieces: Sequence[_Set]) -> _Set:
    shown = [piece.markup for piece in pieces]
    tall = any(piece.tall for piece in pieces)
    match node:
        case Number(value):
            written = decimal(abs(value))
            number = _mn(written) if written else f"<mfrac>{_mn(abs(value.numerator))}{_mn(value.denominator)}</mfrac>"
            text = _row(_mo("−", form="prefix") + number) if value < 0 else number
            return _Set(text, tall=written is None)
        case Words(words):
            return _Set(f"<mtext>{escape(words, quote=False)}</mtext>")
        case Symbol():
            return _symbol(node, pieces)
        case Negative():
            return _signed((-1,), shown, tall=tall)
        case Plus(terms):
            return _signed(tuple(sign for sign, _ in terms), shown, tall=tall)
        case Product(sign, factors):
            return _Set(_row(_product(sign, factors, shown)), tall=tall)
        case Quotient():
            return _Set(f"<mfrac>{shown[0]}{shown[1]}</mfrac>", tall=True)
        case Power():
            return _raised(pieces[0], pieces[1].script)
        case Transposed():
            return _raised(pieces[0], _mo("⊤", tight=True))
        case Call():
            return _call(node, pieces, tall=tall)
        case Derivative():
            return _derivative(node, shown)
        case Big():
            return _big(node, pieces, tall=tall)
        case Relation(_, signs):
            sides = [_mo(escape(sign)) + side for sign, side in zip(signs, shown[1:], strict=True)]
            return _Set(_row(shown[0] + "".join(sides)), tall=tall)
        case Indicator():
            return _Set(_row(_fenced(shown[0], "[", "]", tall=tall)), tall=tall)
        case Cases(cases):
            return _cases(cases, shown)
        case Entry():
            return _Set(f"<msub>{shown[0]}{_row(_joined([p.script for p in pieces[1:]]))}</msub>", tall=tall)
        case Absolute():
            return _Set(_row(_fenced(shown[0], "|", "|", tall=tall)), tall=tall)
        case Norm(_, kind):
            bars = _row(_fenced(shown[0], "‖", "‖", tall=tall))
            return _Set(f"<msub>{bars}<mtext>{escape(kind)}</mtext></msub>", tall=tall)
        case Matrix(rows):
            return _matrix(len(rows), shown)
        case Bracketed():
            return _Set(_row(_fenced(shown[0], tall=tall)), tall=tall)
        case _:
            raise TypeError(f"not notation: {type(node).__name__}")


def _mn(digits: str | int) -> str:
    return f"<mn>{digits}</mn>"


def _mi(name: str) -> str:
    """One letter is italic by itself, unless it is a capital Greek one; a word is upright."""
    upright = ' mathvariant="normal"' if len(name) == 1 and "Α" <= name <= "Ω" else ""
    return f"<mi{upright}>{escape(name, quote=False)}</mi>"


def _mo(sign: str, *, form: str = "", tight: bool = False) -> str:
    attributes = (f' form="{form}"' if form else "") + (' lspace="0" rspace="0"' if tight else "")
    return f"<mo{attributes}>{sign}</mo>"


def _row(markup: str) -> str:
    return f"<mrow>{markup}</mrow>"


def _fenced(markup: str, left: str = "(", right: str = ")", *, tall: bool) -> str:
    stretchy = "true" if tall else "false"
    symmetric = ' symmetric="true"' if tall else ""
    opening = f'<mo form="prefix" stretchy="{stretchy}"{symmetric} lspace="0" rspace="0">{left}</mo>'
    closing = f'<mo form="postfix" stretchy="{stretchy}"{symmetric} lspace="0" rspace="0">{right}</mo>'
    return opening + markup + closing


def _signed(signs: Sequence[int], shown: Sequence[str], *, tall: bool) -> _Set:
    def written(*, tight: bool) -> str:
        text = (_mo("−", form="prefix", tight=tight) if signs[0] < 0 else "") + shown[0]
        for sign, term in zip(signs[1:], shown[1:], strict=True):
            text += _mo("−" if sign < 0 else "+", tight=tight) + term
        return _row(text)

    return _Set(written(tight=False), written(tight=True), tall)


def _product(sign: str, factors: Sequence[Notation], shown: Sequence[str]) -> str:
    text = shown[0]
    for left, right, markup in zip(factors, factors[1:], shown[1:], strict=False):
        before, after = unmarked(left), unmarked(right)
        if sign in ("", "@") and isinstance(after, Number):
            text += _mo("⋅")
        elif sign == "⊙":
            text += '<mo largeop="false">⊙</mo>'
        else:
            text += _mo(PRODUCTS[sign])
            if sign in ("", "@") and (_is_wordy(before) or _is_wordy(after)):
                text += THIN
        text += markup
    return text


def _is_wordy(node: Notation) -> bool:
    match node:
        case Symbol(name):
            return len(GLYPHS.get(name, name)) > 1
        case Call():
            return unmarked(node.function) != Symbol("sqrt")
        case Big() | Derivative() | Quotient():
            return True
        case _:
            return False


def _symbol(node: Symbol, pieces: Sequence[_Set]) -> _Set:
    stem = node.name.rstrip("0123456789")
    subscripts = [piece.script for piece in pieces[: len(node.subscripts)]]
    if len(stem) == 1 and stem != node.name and not (node.subscripts or node.accent):
        base, subscripts = _mi(stem), [_mn(node.name[1:])]
    else:
        base = _mi(GLYPHS.get(node.name, node.name))
    if node.accent is not None:
        base = f'<mover accent="true">{base}<mo stretchy="false">{ACCENTS[node.accent]}</mo></mover>'
    above = _fenced(pieces[-1].script, tall=False) if node.label is not None else ""
    if node.star:
        above += _mo({"*": "∗", "-": "−"}.get(node.star, node.star), tight=True)
    scripts = (base, _joined(subscripts), above)
    return _Set(_scripted(*scripts), scripts=scripts)


def _scripted(base: str, below: str, above: str) -> str:
    if below and above:
        return f"<msubsup>{base}{_row(below)}{_row(above)}</msubsup>"
    if below:
        return f"<msub>{base}{_row(below)}</msub>"
    return f"<msup>{base}{_row(above)}</msup>" if above else base


def _raised(base: _Set, above: str) -> _Set:
    """The base with something at its upper right, on one level with a layer that stands there already."""
    if base.scripts is not None and not base.before:
        letter, below, label = base.scripts
        if below or label:
            return _Set(_scripted(letter, below, label + above))
    return _Set(f"<msup>{base.markup}{above}</msup>", tall=base.tall)


def _joined(subscripts: Sequence[str]) -> str:
    letters = all(s.startswith("<mi>") and len(s) == len("<mi>i</mi>") for s in subscripts)
    return ("" if letters else '<mo separator="true" lspace="0" rspace="0.1em">,</mo>').join(subscripts)


def _call(node: Call, pieces: Sequence[_Set], *, tall: bool) -> _Set:
    function, arguments = unmarked(node.function), [p.markup for p in pieces[1 : 1 + len(node.arguments)]]
    name = function.name if isinstance(function, Symbol) else ""
    if name == "sqrt" and len(arguments) == 1 and node.power is None and not node.primes:
        return _Set(f"<msqrt>{arguments[0]}</msqrt>", tall=tall)
    head = pieces[0].markup
    if node.primes:
        head = _row(head + _mo("′" * node.primes, tight=True))
    if node.power is not None:
        head = f"<msup>{head}{pieces[-1].script}</msup>"
    high = any(p.tall for p in pieces[1 : 1 + len(node.arguments)])
    inside = '<mo separator="true">,</mo>'.join(arguments)
    if name in ("ln", "log") and not node.primes and isinstance(unmarked(node.arguments[0]), Symbol):
        return _Set(_row(head + APPLY + THIN + inside), tall=high)
    return _Set(_row(head + APPLY + _row(_fenced(inside, tall=high))), tall=tall)


def _derivative(node: Derivative, shown: Sequence[str]) -> _Set:
    wrt, of = shown[-1], shown[0] if node.of is not None else ""
    match node.style:
        case "nabla":
            nabla = f"<msub>{_mo('∇', tight=True)}{wrt}</msub>"
            return _Set(_row(nabla + THIN + of) if of else nabla)
        case "prefix":
            return _Set(_row(_mi("d") + wrt))
        case _:
            d = _mi("d") if node.style == "total" else '<mi mathvariant="normal">∂</mi>'
            order = _mn(node.order)
            above = d if node.order == 1 else f"<msup>{d}{order}</msup>"
            below = wrt if node.order == 1 else f"<msup>{wrt}{order}</msup>"
            return _Set(f"<mfrac>{_row(above + of)}{_row(d + below)}</mfrac>", tall=True)


def _big(node: Big, pieces: Sequence[_Set], *, tall: bool) -> _Set:
    left = iter(pieces)
    body = next(left).markup
    lower = next(left).script if node.lower is not None else ""
    upper = next(left).script if node.upper is not None else ""
    without = [piece.script for piece in left]
    word = f'<mi class="word">{node.kind}</mi>'
    if not node.indices and not lower:
        return _Set(_row(word + APPLY + _row(_fenced(body, tall=tall))), tall=tall)
    below = '<mo separator="true" lspace="0" rspace="0.1em">,</mo>'.join(_mi(GLYPHS.get(n, n)) for n in node.indices)
    if lower:
        below += (_mo("=", tight=True) if below else "") + lower
    for value in without:
        below += _mo("≠", tight=True) + value
    sign = f'<mo form="prefix" movablelimits="false">{BIGS[node.kind]}</mo>' if node.kind in BIGS else word
    limits = (
        f"<munderover>{sign}{_row(below)}{upper}</munderover>" if upper else f"<munder>{sign}{_row(below)}</munder>"
    )
    return _Set(_row(limits + ("" if node.kind in BIGS else THIN) + body), tall=True)


def _cases(cases: Sequence[tuple[Notation, Notation | None]], shown: Sequence[str]) -> _Set:
    left = iter(shown)
    rows = ""
    for _, condition in cases:
        value = next(left)
        when = "<mtext>otherwise</mtext>" if condition is None else f"<mtext>if </mtext>{THIN}{next(left)}"
        rows += f"<mtr><mtd>{value}</mtd><mtd>{WIDE}{when}</mtd></mtr>"
    brace = '<mo form="prefix" stretchy="true" symmetric="true">{</mo>'
    return _Set(_row(f'{brace}<mtable class="cases">{rows}</mtable>'), tall=True)


def _matrix(count: int, shown: Sequence[str]) -> _Set:
    columns = len(shown) // count
    rows = ["".join(f"<mtd>{e}</mtd>" for e in shown[k * columns : (k + 1) * columns]) for k in range(count)]
    table = "<mtable>" + "".join(f"<mtr>{row}</mtr>" for row in rows) + "</mtable>"
    return _Set(_row(_fenced(table, tall=True)), tall=True)
