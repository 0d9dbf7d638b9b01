"""Tokens: the pieces of a formula, the same ones whether it is written in ASCII, Unicode or LaTeX."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import Final, Literal, NamedTuple

from backproof.errors import BackproofError, FormulaError, LimitError, Place
from backproof.language.letters import ACCENTS, FRACTIONS, GREEK, LOWERED, RAISED
from backproof.language.parsing import macros
from backproof.language.parsing.words import (
    CONNECTIVES,
    GREEK_NAMES,
    INDEX_LETTERS,
    MODULES,
    NAMES,
    TEXT_CONNECTIVES,
    segment,
)

MAX_CHARACTERS: Final = 100_000
MAX_TOKENS: Final = 50_000
MAX_DIGITS: Final = 400

Kind = Literal["number", "name", "d", "sign", "command", "words", "row", "newline", "begin", "end", "method", "stop"]


class Token(NamedTuple):
    """A piece of a formula; `text` is canonical (`\\sigma`, `σ` and `sigma` are all `sigma`), `spaced` if a blank is before it."""

    kind: Kind
    text: str
    start: int
    end: int
    spaced: bool = False
    accent: str | None = None


Choice = Literal["letters", "differential", "labels", "quotient", "elementwise", "factor", "sums", "arguments"]
"""Where a text can be read in two ways: which of them is the likelier is written at each place that asks."""

SIGNS: Final[dict[str, str]] = {
    **dict.fromkeys("−–—‐‒﹣－", "-"),
    **dict.fromkeys("⋅∙•‧・·", "·"),
    **dict.fromkeys("⊙∘○◦⨀☉", "⊙"),
    **dict.fromkeys("∗⋆", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    **dict.fromkeys("⩽≦", "≤"),
    **dict.fromkeys("⩾≧", "≥"),
    **dict.fromkeys("≃≅", "≈"),
    **dict.fromkeys("≜≔≝≐", ":="),
    **dict.fromkeys("⟶↦➝⟼", "→"),
    **dict.fromkeys("⟵", "←"),
    **dict.fromkeys("∑Σ", "Σ"),
    **dict.fromkeys("∏Π", "Π"),
    **dict.fromkeys("′’‘`´ʹ", "'"),
    **dict.fromkeys("‖∥", "‖"),
    **dict.fromkeys("∣❘", "|"),
    **dict.fromkeys("⇒⟹⇔⟺∴", "⇒"),
    **{c: c for c in "×⊗≠≤≥≈∈≡→←∇√∝∼∫±⊕⊖∀∃∪∩∖⊂∉≪≫⌊⌋⌈⌉⟨⟩+-*/^_=<>,;:!'|()[]{}@.?"},
}
NAMED: Final[dict[str, str]] = {
    "∞": "inf",
    "…": "…",
    "⋯": "…",
    "⋮": "…",
    "⋱": "…",
    "⊤": "T",
    "ℓ": "ell",
    "ς": "sigma",
    "𝟙": "1",
    "𝟏": "1",
    "∅": "∅",
    **{c: c for c in "ℝℕℤℚℂ𝔼ℙ"},
    **{letter: GREEK_NAMES.get(name, name) for name, letter in GREEK.items() if letter not in "ΣΠ"},
}
INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\ufe0e\ufe0f")
OPERATORS: Final = re.compile(r"<=>|\.\.\.|:=|<=|>=|=<|!=|~=|==|->|=>|<-(?=\s)|\*\*|\.\*|\./|\.\^|\+=|-=|\|\|")
OPERATOR_SIGNS: Final[dict[str, str]] = {
    "<=>": "⇒",
    "...": "…",
    "<=": "≤",
    ">=": "≥",
    "=<": "≤",
    "!=": "≠",
    "~=": "≈",
    "==": "=",
    "->": "→",
    "=>": "⇒",
    "<-": "←",
    "**": "^",
    ".*": "⊙",
    "./": "/",
    ".^": "^",
    "||": "‖",
}
_NUMBER: Final = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+(?![\w.]))?")
_RUN: Final = re.compile(r"[A-Za-z]+[0-9]*")
_METHOD: Final = re.compile(r"\.(T|t|transpose|sum|mean|max|min|dot)\b")
_COMMAND: Final = re.compile(r"\\(?:([A-Za-z]+\*?)|(.))", re.DOTALL)
_ONE: Final = re.compile(r"\s*(?:\{\s*1\s*\}|1(?!\d))")
_OPTION: Final = re.compile(r"\s*\[([^\[\]{}]{1,20})\]")
_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ _\-]+[A-Za-z0-9]+)*")
_LOWERED: Final = {below: plain for plain, below in reversed(LOWERED.items())}
_RAISED: Final = {**{above: plain for plain, above in reversed(RAISED.items())}, "ᵀ": "T"}
_COMBINING: Final = {mark: name for name, mark in ACCENTS.items()} | {"\u0305": "bar", "\u20d6": "vec"}
_FRACTIONS: Final = {glyph: parts for parts, glyph in FRACTIONS.items()}
_CONTINUES: Final = frozenset("+-*·×⊙⊗@/=≠<>≤≥≈∈≡→←^_(") | {":=", "-=", "+=", "\\{"}


class Lexer:
    """Cuts a text into tokens. `swaps` are the choices taken the unlikelier way, `met` those that the text offered."""

    def __init__(
        self, text: str, source: str | None = None, known: Collection[str] = (), swaps: Collection[Choice] = ()
    ) -> None:
        self.text = text
        self.source = source
        self.known = known
        self.swaps = swaps
        self.met: dict[Choice, None] = {}
        self.latex = "\\" in text
        self._offset = 0
        self._at = 0
        self._tokens: list[Token] = []
        self._spaced = False
        self._singles = 0
        self._saved: list[int] = []
        self._environments: list[tuple[str, bool]] = []

    def tokens(self) -> list[Token]:
        """All tokens, with a `stop` at the end. Raises FormulaError and LimitError."""
        if len(self.text) > MAX_CHARACTERS:
            raise LimitError(
                "the formula is too long",
                expected=f"at most {MAX_CHARACTERS} characters",
                got=str(len(self.text)),
                next="give names to parts of the formula",
            )
        self._lex(self.text)
        if self._environments:
            raise self.error(f"\\begin{{{self._environments[-1][0]}}} has no \\end", len(self.text) - 1)
        return list(_lines_joined(self._tokens, len(self.text)))

    def error(
        self, what: str, start: int, end: int | None = None, *, expected: str | None = None, next: str | None = None
    ) -> BackproofError:
        """A formula error at a span of the text."""
        place = Place(self.text, max(start, 0), end if end is not None else start + 1, self.source)
        return FormulaError(what, place=place, expected=expected, next=next)

    def _lex(self, text: str, offset: int = 0) -> None:
        """Lex `text`, whose characters stand at `offset` in the whole."""
        outer = self._at, self._offset
        self._at, self._offset = 0, offset
        while self._at < len(text):
            self._one(text)
            if len(self._tokens) > MAX_TOKENS:
                raise LimitError(
                    "the formula is too long", expected=f"at most {MAX_TOKENS} pieces", next="split the formula"
                )
        self._at, self._offset = outer

    def _one(self, text: str) -> None:
        c = text[self._at]
        if c.isspace() or c in "~$":
            self._spaced = True
            self._at += 1
        elif c in INVISIBLE:
            self._at += 1
        elif c == "\\":
            self._command(text)
        elif "a" <= c <= "z" or "A" <= c <= "Z":
            self._run(text)
        elif "0" <= c <= "9" or (c == "." and text[self._at + 1 : self._at + 2].isdigit() and not self._after_name()):
            self._number(text)
        elif c == "%" and self.latex:
            end = text.find("\n", self._at)
            self._at = len(text) if end < 0 else end
        elif c == "&":
            self._ampersand()
        elif c in _LOWERED or c in _RAISED:
            self._script(text, c)
        else:
            self._other(text, c)

    def _add(self, kind: Kind, text: str, length: int, accent: str | None = None) -> None:
        start = self._offset + self._at
        self._tokens.append(Token(kind, text, start, start + length, self._spaced, accent))
        self._spaced = False
        self._at += length

    def _put(self, kind: Kind, text: str, start: int, end: int) -> None:
        self._tokens.append(Token(kind, text, start, end, self._spaced))
        self._spaced = False

    def _last(self, text: str = "") -> bool:
        return bool(self._tokens) and self._tokens[-1].kind == "sign" and self._tokens[-1].text == text

    def _after_name(self) -> bool:
        return bool(self._tokens) and not self._spaced and self._tokens[-1].kind in ("name", "number")

    def _after_script(self) -> str:
        """The `_` or `^` whose script comes now, else nothing."""
        return self._tokens[-1].text if self._last("_") or self._last("^") else ""

    def _number(self, text: str) -> None:
        single = self._singles > 0
        found = _NUMBER.match(text, self._at)
        if found is None:
            raise self.error("this is not a number", self._offset + self._at)
        written = found[0]
        if single:
            self._singles -= 1
            written = written[0]
        elif self._after_script():
            digits = re.match(r"\d+", written)
            written = digits[0] if digits else written
        if len(written) > MAX_DIGITS or len(written.lower().partition("e")[2]) > 4:
            start = self._offset + self._at
            raise LimitError(
                "the number is too long",
                place=Place(self.text, start, start + len(written), self.source),
                expected=f"at most {MAX_DIGITS} digits",
            )
        self._add("number", written, len(written))

    def _run(self, text: str) -> None:
        found = _RUN.match(text, self._at)
        if found is None:
            raise self.error("this is not a name", self._offset + self._at)
        run = found[0]
        if self._singles > 0:
            self._singles -= 1
            self._add("name", text[self._at], 1)
            return
        script = self._after_script()
        if script:
            self._script_run(text, run, script)
        elif not self._keyword(text, run):
            self._pieces(run)

    def _pieces(self, run: str) -> None:
        cut = segment(
            run,
            latex=self.latex,
            known=self.known,
            swap_letters="letters" in self.swaps,
            keep_differential="differential" not in self.swaps,
        )
        if cut.open_letters:
            self.met["letters"] = None
        if cut.open_differential:
            self.met["differential"] = None
        for piece in cut.pieces:
            self._add(
                "d" if piece.kind == "differential" else "name", piece.name, piece.end - piece.start, piece.accent
            )

    def _keyword(self, text: str, run: str) -> bool:
        """A word of plain text that is no name: if, in, nabla, np. before a function."""
        end = self._at + len(run)
        apart = (self._spaced or not self._tokens) and (end >= len(text) or text[end] in " \t\n,;:")
        if run in TEXT_CONNECTIVES and apart and run not in self.known:
            self._add("words", run, len(run))
        elif run == "in" and apart and self._tokens:
            self._add("sign", "∈", len(run))
        elif run == "nabla":
            self._add("sign", "∇", len(run))
        elif run == "partial":
            self._add("d", "∂", len(run))
        elif (
            run in MODULES
            and text[end : end + 1] == "."
            and text[end + 1 : end + 2].isalpha()
            and (len(run) > 1 or not _METHOD.match(text, end))
        ):
            self._at = end + 1
        else:
            return False
        return True

    def _script_run(self, text: str, run: str, script: str) -> None:
        """Letters directly after `_` or `^`: how many of them belong to the script."""
        following = text[self._at + len(run) : self._at + len(run) + 1]
        word = run.rstrip("0123456789")
        if word in self.known or word in NAMES or word in GREEK_NAMES:
            taken = run
        elif script == "^":
            taken = run[0]
        elif len(word) == 2 and not all(c in INDEX_LETTERS for c in word) and (self.latex or following in ("_", "^")):
            taken = run[0]
        elif self.latex and len(word) < 4 and not all(c in INDEX_LETTERS for c in word):
            taken = run[0]
        else:
            taken = run
        letters = taken.rstrip("0123456789")
        if len(letters) > 1 and all(c in INDEX_LETTERS for c in letters) and taken not in NAMES:
            start = self._offset + self._at
            self._put("sign", "{", start, start)
            for c in taken[: len(letters) - 1]:
                self._add("name", c, 1)
            self._add("name", taken[len(letters) - 1 :], len(taken) - len(letters) + 1)
            self._put("sign", "}", self._offset + self._at, self._offset + self._at)
        else:
            self._add("name", GREEK_NAMES.get(taken, taken), len(taken))

    def _script(self, text: str, c: str) -> None:
        """A run of raised or lowered characters, as a script in braces."""
        table, sign = (_LOWERED, "_") if c in _LOWERED else (_RAISED, "^")
        end = self._at
        while end < len(text) and text[end] in table:
            end += 1
        plain = "".join(table[x] for x in text[self._at : end])
        start = self._offset + self._at
        self._put("sign", sign, start, start)
        self._put("sign", "{", start, start)
        latex, self.latex = self.latex, True
        self._lex(plain, start)
        self.latex = latex
        self._at = end
        self._put("sign", "}", self._offset + end, self._offset + end)

    def _ampersand(self) -> None:
        if self._environments and self._environments[-1][1]:
            self._add("sign", "&", 1)
        else:
            self._spaced = True
            self._at += 1

    def _other(self, text: str, c: str) -> None:
        operator = OPERATORS.match(text, self._at)
        method = _METHOD.match(text, self._at) if c == "." and not self._spaced and self._tokens else None
        if method:
            self._add("method", method[1], len(method[0]))
        elif operator:
            sign = OPERATOR_SIGNS.get(operator[0], operator[0])
            self._add("name" if sign == "…" else "sign", sign, len(operator[0]))
        elif c in NAMED:
            digits = re.compile(r"\d*").match(text, self._at + 1)
            after = digits[0] if digits and c.isalpha() and not self._after_script() else ""
            self._add("name", NAMED[c] + after, 1 + len(after))
            self._singles = max(0, self._singles - 1)
        elif c in "∂𝜕𝝏":
            self._add("d", "∂", 1)
        elif c in SIGNS:
            self._sign(c)
        elif c in _FRACTIONS:
            start = self._offset + self._at
            for kind, part in (
                ("sign", "{"),
                ("number", _FRACTIONS[c][0]),
                ("sign", "/"),
                ("number", _FRACTIONS[c][1]),
            ):
                self._put("sign" if kind == "sign" else "number", str(part), start, start + 1)
            self._put("sign", "}", start, start + 1)
            self._at += 1
        elif c in _COMBINING and self._tokens and self._tokens[-1].kind == "name" and not self._spaced:
            self._tokens[-1] = self._tokens[-1]._replace(accent=_COMBINING[c], end=self._offset + self._at + 1)
            self._at += 1
        else:
            self._normalised(c)

    def _sign(self, c: str) -> None:
        sign = SIGNS[c]
        if sign == "{":
            self._saved.append(max(0, self._singles - 1))
            self._singles = 0
        elif sign == "}":
            self._singles = self._saved.pop() if self._saved else 0
        self._add("sign", sign, 1)

    def _normalised(self, c: str) -> None:
        """A letter in another font, 𝐖, or with its accent in one character, ŷ."""
        for form in ("NFKC", "NFD", "NFKD"):
            plain = unicodedata.normalize(form, c)
            if plain == c or not plain:
                continue
            base, marks = plain[0], plain[1:]
            if (base in NAMED or (base.isascii() and base.isalnum())) and (not marks or marks in _COMBINING):
                self._add("number" if base.isdigit() else "name", NAMED.get(base, base), 1, _COMBINING.get(marks))
                return
            if not marks and base in SIGNS:
                self._sign(base)
                return
            if not marks and base in "∂":
                self._add("d", "∂", 1)
                return
        start = self._offset + self._at
        name = unicodedata.name(c, f"U+{ord(c):04X}")
        raise self.error(f"the character {c!r} ({name.lower()}) means nothing in a formula", start, next="remove it")

    def _command(self, text: str) -> None:
        found = _COMMAND.match(text, self._at)
        if found is None:
            raise self.error("a backslash with nothing after it", self._offset + self._at)
        name, symbol = found[1], found[2]
        length = len(found[0])
        if symbol is not None:
            self._symbol(text, symbol, length)
            return
        if name.endswith("*") and name not in macros.TEXTS and name not in macros.DROPPED_WITH_ARGUMENT | macros.SPACES:
            name, length = name[:-1], length - 1
        self._named(text, name, length)

    def _symbol(self, text: str, symbol: str, length: int) -> None:
        """A backslash with one character that is no letter."""
        if symbol == "\\":
            start = self._offset + self._at
            option = re.compile(r"\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in)\s*\]").match(text, self._at + length)
            self._put(
                "row" if self._environments and self._environments[-1][1] else "newline", "\\\\", start, start + length
            )
            self._at += length + (len(option[0]) if option else 0)
        elif symbol in "{}":
            self._add("sign", "\\" + symbol, length)
        elif symbol == "|":
            self._add("sign", "‖", length)
        elif symbol == "_":
            self._add("sign", "_", length)
        elif symbol in " ,;:!>/-()[]\n\t&$%#":
            self._at += length
            self._spaced = self._spaced or symbol != "!"
        elif symbol in "^~=.'\"`":
            raise self.error(
                f"the text accent \\{symbol} means nothing in a formula",
                self._offset + self._at,
                next="write \\hat or \\tilde",
            )
        else:
            raise self.error(f"\\{symbol} is not a command", self._offset + self._at, self._offset + self._at + length)

    def _named(self, text: str, name: str, length: int) -> None:
        after = self._at + length
        if name in macros.LETTERS:
            self._add("name", macros.LETTERS[name], length)
            self._singles = max(0, self._singles - 1)
        elif name in macros.FUNCTIONS or name in macros.BIGS:
            self._add("name", name, length)
        elif name in ("left", "right") or re.fullmatch(r"[bB]igg?[lrm]?|middle", name):
            self._delimiter(text, name, length)
        elif name in macros.SIGNS:
            self._add("sign", macros.SIGNS[name], length)
        elif name == "partial":
            self._add("d", "∂", length)
            self._singles = max(0, self._singles - 1)
        elif name in ("mathbb", "mathbbm", "mathds", "Bbb"):
            self._blackboard(text, length)
        elif name in macros.FONTS:
            self._font(text, name, length)
        elif name in macros.SPACES:
            self._at = after
            self._spaced = True
        elif name in macros.TEXTS:
            self._text(text, name, length)
        elif name in macros.COMMANDS:
            self._add("command", name, length)
            self._singles = macros.COMMANDS[name] + max(0, self._singles - 1)
            option = _OPTION.match(text, self._at) if name in ("sqrt", "dv", "pdv", "odv", "derivative") else None
            if option:
                self._put("sign", "[", self._offset + self._at, self._offset + self._at + 1)
                waiting, self._singles = self._singles, 0
                self._lex(option[1], self._offset + option.start(1))
                self._singles = waiting
                self._at = option.end()
                self._put("sign", "]", self._offset + self._at - 1, self._offset + self._at)
        elif name in macros.DROPPED_WITH_ARGUMENT:
            self._at = self._raw(text, after)[1]
        elif name in ("begin", "end"):
            self._environment(text, name, length)
        else:
            start = self._offset + self._at
            table = [*macros.LETTERS, *macros.SIGNS, *macros.COMMANDS, *macros.FUNCTIONS, *macros.TEXTS, *macros.FONTS]
            close = difflib.get_close_matches(name, table, n=2, cutoff=0.7)
            raise self.error(
                f"\\{name} is not a command that is known here",
                start,
                start + length,
                next="did you mean " + " or ".join("\\" + c for c in close) + "?"
                if close
                else "write it without the command",
            )

    def _delimiter(self, text: str, name: str, length: int) -> None:
        """\\left, \\right, \\big and their like, with the delimiter after them where it has two sides."""
        skip = length
        while text[self._at + skip : self._at + skip + 1].isspace():
            skip += 1
        rest = text[self._at + skip : self._at + skip + 6]
        side = (
            "open" if name == "left" or name.endswith("l") else "close" if name == "right" or name.endswith("r") else ""
        )
        for written, sign in (
            (".", "."),
            ("|", "|"),
            ("\\|", "‖"),
            ("\\vert", "|"),
            ("\\Vert", "‖"),
            ("<", "⟨"),
            (">", "⟩"),
            ("/", "/"),
        ):
            if not rest.startswith(written):
                continue
            whole = skip + len(written)
            if sign == ".":
                if name in ("left", "right"):
                    self._add("sign", f"{name}.", whole)
                else:
                    self._at += whole
            elif name == "middle":
                self._add("sign", "mid" if sign in "|‖" else sign, whole)
            else:
                self._add("sign", sign + (side if sign in "|‖" else ""), whole)
            return
        self._at += length

    def _blackboard(self, text: str, length: int) -> None:
        content, end = self._raw(text, self._at + length)
        letter = content.strip()
        self._add("name", macros.BLACKBOARD.get(letter, letter or "1"), end - self._at)
        self._singles = max(0, self._singles - 1)

    def _font(self, text: str, name: str, length: int) -> None:
        one = _ONE.match(text, self._at + length) if name in ("mathbf", "boldsymbol", "bm", "vect") else None
        if one:
            self._add("name", "1", one.end() - self._at)
        else:
            self._at += length

    def _raw(self, text: str, at: int) -> tuple[str, int]:
        """The argument of a command as it stands, and where it ends."""
        while text[at : at + 1].isspace():
            at += 1
        if text[at : at + 1] != "{":
            found = _COMMAND.match(text, at)
            end = found.end() if found else at + 1
            return text[at:end], min(end, len(text))
        depth = 0
        for k in range(at, len(text)):
            if text[k] in "{}" and text[k - 1] != "\\":
                depth += 1 if text[k] == "{" else -1
                if depth == 0:
                    return text[at + 1 : k], k + 1
        raise self.error("a brace is not closed", self._offset + at, expected="a } for this {")

    def _text(self, text: str, name: str, length: int) -> None:
        content, end = self._raw(text, self._at + length)
        plain = re.sub(r"\\[ ,;:!_]|[~$]", lambda m: "_" if m[0] == "\\_" else " ", content).strip()
        primes = len(plain) - len(plain.rstrip("'’′"))
        word = plain[: len(plain) - primes].rstrip() if primes else plain
        operator = name.startswith(("operatorname", "math", "DeclareMath", "sym"))
        whole = end - self._at
        if "\\" in word and operator or (re.search(r"[\\^_{=+*/()]|\d\W", word) and name.startswith("math")):
            self._at += length
            return
        if not word:
            self._at = end
            self._spaced = True
        elif re.fullmatch(r"\d+", word):
            self._add("number", word, whole)
        elif word == "d" and re.match(r"\s*[A-Za-z\\{^]", text[end : end + 4]):
            self._add("d", "d", whole)
        elif _WORDS.fullmatch(word) and (operator or (" " not in word and word.lower() not in CONNECTIVES)):
            self._add("name", GREEK_NAMES.get(word, re.sub(r"[ \-]+", "_", word)), whole)
        elif not any(c.isalpha() for c in word):
            self._at = end
            self._spaced = True
        else:
            self._add("words", plain, whole)
        for _ in range(primes if self._tokens and self._tokens[-1].kind == "name" else 0):
            self._put("sign", "'", self._offset + self._at - 1, self._offset + self._at)
        self._singles = max(0, self._singles - 1)

    def _environment(self, text: str, side: str, length: int) -> None:
        start = self._offset + self._at
        content, end = self._raw(text, self._at + length)
        name = content.strip().rstrip("*")
        tabular = name in macros.MATRICES or name in macros.CASES
        if not tabular and name not in macros.PLAIN_ENVIRONMENTS:
            raise self.error(f"the environment {name[:30]} is not known here", start, self._offset + end)
        kind = "cases" if name in macros.CASES else "matrix"
        if side == "begin":
            self._environments.append((name, tabular))
            if name in ("array", "alignat", "alignedat"):
                option = re.compile(r"\s*\[[a-z]\]").match(text, end)
                end = self._raw(text, option.end() if option else end)[1]
        elif not self._environments or self._environments.pop()[0] != name:
            raise self.error(f"\\end{{{name}}} without its \\begin", start, self._offset + end)
        if tabular:
            self._put(
                "begin" if side == "begin" else "end", "array" if name == "array" else kind, start, self._offset + end
            )
        self._spaced = True
        self._at = end


def _lines_joined(tokens: list[Token], end: int) -> Iterator[Token]:
    """The tokens without line ends inside one formula and without punctuation at the end; a `stop` after them."""
    last = len(tokens)
    while last and (
        tokens[last - 1].kind == "newline"
        or (tokens[last - 1].kind == "sign" and tokens[last - 1].text in (".", ",", ";", ":", "?"))
    ):
        last -= 1
    previous: Token | None = None
    for k in range(last):
        token = tokens[k]
        if token.kind == "newline":
            following = next((t for t in tokens[k + 1 : last] if t.kind != "newline"), None)
            if previous is None or following is None or previous.kind == "newline":
                continue
            if (previous.kind == "sign" and previous.text in _CONTINUES) or (
                following.kind == "sign" and following.text in _CONTINUES - {"(", "\\{"}
            ):
                continue
        previous = token
        yield token
    yield Token("stop", "", end, end, spaced=True)
