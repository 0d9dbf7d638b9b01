"""The lexer of LaTeX: commands become the same tokens as the signs and names that they draw."""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from typing import Final

from backproof.language.parsing import macros
from backproof.language.parsing.lexer import PlainLexer
from backproof.language.parsing.words import CONNECTIVES, GREEK_NAMES

SIGN_LENGTH: Final = 20

_COMMAND: Final = re.compile(r"\\(?:([A-Za-z]+\*?)|(.))", re.DOTALL)
_ONE: Final = re.compile(r"\s*(?:\{\s*1\s*\}|1(?!\d))")
_OPTION: Final = re.compile(r"\s*\[([^\[\]{}]{1,20})\]")
_SKIP: Final = re.compile(r"\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in)\s*\]")
_POSITION: Final = re.compile(r"\s*\[[a-z]\]")
_BIG: Final = re.compile(r"[bB]igg?[lrm]?|middle|left|right")
_WORDS: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[ _\-]+[A-Za-z0-9]+)*")


class Lexer(PlainLexer):
    """Cuts a text in ASCII, Unicode and LaTeX, freely mixed, into tokens."""

    def _command(self, text: str) -> None:
        found = _COMMAND.match(text, self._at)
        if found is None:
            raise self.error("a backslash with nothing after it", self._offset + self._at, next="remove it")
        name, symbol = found[1], found[2]
        length = len(found[0])
        if symbol is not None:
            self._symbol(text, symbol, length)
            return
        if name.endswith("*") and not any(
            name in table for table in (macros.TEXTS, macros.DROPPED_WITH_ARGUMENT, macros.SPACES, macros.GAPS)
        ):
            name, length = name[:-1], length - 1
        self._named(text, name, length)

    def _symbol(self, text: str, symbol: str, length: int) -> None:
        """A backslash with one character that is no letter."""
        if symbol == "\\":
            start = self._offset + self._at
            option = _SKIP.match(text, self._at + length)
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
        elif _BIG.fullmatch(name):
            self._delimiter(text, name, length)
        elif name in macros.SIGNS:
            self._add("sign", macros.SIGNS[name], length)
        elif name == "partial":
            self._add("d", "∂", length)
            self._singles = max(0, self._singles - 1)
        elif name in ("mathbb", "mathbbm", "mathds", "Bbb"):
            self._blackboard(text, length)
        elif name in macros.SIGN_CLASSES:
            self._sign_class(text, after)
        elif name in macros.FONTS:
            self._font(text, name, length)
        elif name in macros.SPACES:
            self._at = after
            self._spaced = True
        elif name in macros.GAPS:
            end = self._raw(text, after)[1] if macros.GAPS[name] else after
            self._put("gap", name, self._offset + self._at, self._offset + end)
            self._at = end
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
            close = _close_to(name)
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

    def _sign_class(self, text: str, after: int) -> None:
        """A sign in braces, without the braces; anything longer stays in them."""
        content, end = self._raw(text, after)
        if len(content) > SIGN_LENGTH or text[end - 1] != "}":
            self._at = after
            return
        self._lex(content, self._offset + end - len(content) - 1)
        self._at = end

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
        if ("\\" in word and operator) or (re.search(r"[\\^_{=+*/()]|\d\W", word) and name.startswith("math")):
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
            raise self.error(
                f"the environment {name[:30]} is not known here",
                start,
                self._offset + end,
                next="check the formulas in it",
            )
        kind = "cases" if name in macros.CASES else "matrix"
        if side == "begin":
            self._environments.append((name, tabular))
            option = _POSITION.match(text, end)
            end = option.end() if option else end
            if name in ("array", "alignat", "alignedat"):
                end = self._raw(text, end)[1]
        elif not self._environments or self._environments.pop()[0] != name:
            raise self.error(
                f"\\end{{{name}}} without its \\begin",
                start,
                self._offset + end,
                expected=f"\\begin{{{name}}} before it",
            )
        if tabular:
            self._put(
                "begin" if side == "begin" else "end", "array" if name == "array" else kind, start, self._offset + end
            )
        self._spaced = True
        self._at = end


@lru_cache(maxsize=512)
def _close_to(name: str) -> tuple[str, ...]:
    """The two closest commands; a document asks for the same ones again and again."""
    table = [*macros.LETTERS, *macros.SIGNS, *macros.COMMANDS, *macros.FUNCTIONS, *macros.TEXTS, *macros.FONTS]
    return tuple(difflib.get_close_matches(name[:60], table, n=2, cutoff=0.7))
