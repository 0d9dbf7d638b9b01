"""The lexer of plain text, in ASCII and Unicode: names, numbers, signs, raised and lowered characters."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Final

from backproof.errors import BackproofError, FormulaError, LimitError, Place
from backproof.language.parsing.characters import (
    COMBINING,
    FROM_FRACTIONS,
    FROM_LOWERED,
    FROM_RAISED,
    INVISIBLE,
    NAMED,
    OPERATOR_SIGNS,
    OPERATORS,
    SIGNS,
)
from backproof.language.parsing.tokens import Choice, Kind, Token, lines_joined
from backproof.language.parsing.words import (
    GREEK_NAMES,
    INDEX_LETTERS,
    MODULES,
    NAMES,
    TEXT_CONNECTIVES,
    is_name,
    segment,
)

MAX_CHARACTERS: Final = 100_000
MAX_TOKENS: Final = 20_000
MAX_DIGITS: Final = 400

_NUMBER: Final = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+(?![\w.]))?", re.ASCII)
_RUN: Final = re.compile(r"[A-Za-z]+[0-9]*")
_DIGITS: Final = re.compile(r"[0-9]*")
_OVER: Final = re.compile(r"\s*/\s*(?:d[A-Za-z]|∂)")
_METHOD: Final = re.compile(r"\.(T|t|transpose|sum|mean|max|min|dot|astype|float|double|copy|clone|detach|grad)\b")


class PlainLexer(ABC):
    """Cuts a text without LaTeX commands into tokens.

    `swaps` are the choices taken the unlikelier way, `met` those that the text offered.
    """

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
        self._differentials = False

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
            name = self._environments[-1][0]
            raise self.error(
                f"\\begin{{{name}}} has no \\end", len(self.text) - 1, expected=f"\\end{{{name}}}", next="close it"
            )
        return list(lines_joined(self._tokens, len(self.text)))

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

    @abstractmethod
    def _command(self, text: str) -> None:
        """Lex the command here."""

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
        elif c in FROM_LOWERED or c in FROM_RAISED:
            self._script(text, c)
        else:
            self._other(text, c)

    def _add(self, kind: Kind, text: str, length: int, accent: str | None = None) -> None:
        start = self._offset + self._at
        self._differentials |= kind == "d"
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
            # A point alone is no number: \frac.52 is ½ of nothing that people write.
            written = written[0] if written[0] != "." else written
        elif self._after_script():
            digits = _DIGITS.match(written)
            written = (digits[0] if digits else "") or written
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
            self._pieces(text, run)

    def _pieces(self, text: str, run: str) -> None:
        if (
            run[0] == "d"
            and is_name(run[1:].rstrip("0123456789"), self.known)
            and _OVER.match(text, self._at + len(run))
        ):
            # dout/dnet, though dout alone is a name.
            self._add("d", "d", 1)
            run = run[1:]
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
        before = self._spaced or not self._tokens or self._last("&") or self._tokens[-1].kind == "row"
        apart = before and (end >= len(text) or text[end] in " \t\n,;:\\&~})]")
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
        word = run.rstrip("0123456789")
        if word in self.known or word in NAMES or word in GREEK_NAMES:
            taken = run
        elif script == "^" or not self._whole_script(word, text[self._at + len(run) : self._at + len(run) + 1]):
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

    def _whole_script(self, word: str, following: str) -> bool:
        """Whether a whole run is the subscript, as in W_ij; LaTeX draws one letter only, and so x_ix_j is meant."""
        indices = all(c in INDEX_LETTERS for c in word)
        if not self.latex:
            return following != "_" if len(word) == 2 else True
        if indices and 1 < len(word) < 4:
            self.met["letters"] = None
            return "letters" in self.swaps
        return len(word) > 3

    def _script(self, text: str, c: str) -> None:
        """A run of raised or lowered characters, as a script in braces."""
        table, sign = (FROM_LOWERED, "_") if c in FROM_LOWERED else (FROM_RAISED, "^")
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
            digits = _DIGITS.match(text, self._at + 1)
            after = digits[0] if digits and c.isalpha() and not self._after_script() else ""
            self._add("name", NAMED[c] + after, 1 + len(after))
            self._singles = max(0, self._singles - 1)
        elif c in "∂𝜕𝝏":
            self._add("d", "∂", 1)
        elif c in SIGNS:
            self._sign(c)
        elif c in FROM_FRACTIONS:
            start = self._offset + self._at
            for kind, part in (
                ("sign", "{"),
                ("number", FROM_FRACTIONS[c][0]),
                ("sign", "/"),
                ("number", FROM_FRACTIONS[c][1]),
            ):
                self._put("sign" if kind == "sign" else "number", str(part), start, start + 1)
            self._put("sign", "}", start, start + 1)
            self._at += 1
        elif c in COMBINING and self._tokens and self._tokens[-1].kind == "name" and not self._spaced:
            self._tokens[-1] = self._tokens[-1]._replace(accent=COMBINING[c], end=self._offset + self._at + 1)
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
            if (base in NAMED or (base.isascii() and base.isalnum())) and (not marks or marks in COMBINING):
                self._add("number" if base.isdigit() else "name", NAMED.get(base, base), 1, COMBINING.get(marks))
                return
            if not marks and base in SIGNS:
                self._sign(base)
                return
            if not marks and base == "∂":
                self._add("d", "∂", 1)
                return
        start = self._offset + self._at
        name = unicodedata.name(c, f"U+{ord(c):04X}")
        raise self.error(f"the character {c!r} ({name.lower()}) means nothing in a formula", start, next="remove it")
