"""The place in a row of tokens at which a parser stands: looking, stepping, matching brackets, errors with a place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from backproof.errors import BackproofError, FormulaError, LimitError, Place
from backproof.language.notation import Notation, Span
from backproof.language.parsing.commands import Lexer
from backproof.language.parsing.tokens import Choice, Kind, Token

MAX_NESTING: Final = 80
MAX_CHAIN: Final = 80

RELATION: Final = 0
SUM: Final = 1
ELEMENTWISE: Final = 2
PRODUCT: Final = 3
JUXTAPOSED: Final = 4
TIGHT: Final = 5

CLOSERS: Final[dict[str, tuple[str, ...]]] = {
    "(": (")",),
    "[": ("]",),
    "{": ("}",),
    "\\{": ("\\}", "right."),
    "⟨": ("⟩",),
    "|open": ("|close", "right."),
    "‖open": ("‖close", "right."),
    "left.": ("|close", "‖close", "right.", ")", "]", "\\}"),
}
_CLOSING: Final = frozenset(c for closers in CLOSERS.values() for c in closers)
_SHOWN: Final = {"|open": "|", "|close": "|", "‖open": "‖", "‖close": "‖", "left.": "\\left.", "right.": "\\right."}


class Cursor(ABC):
    """Steps through the tokens of a text. `inside` are the brackets and bars that are open here, the innermost last."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self.text = lexer.text
        self.tokens, self.mates = self._matched(lexer.tokens())
        self.at = 0
        self.depth = 0
        self.indexing = 0
        self.below_slash = False
        self.inside: list[str] = []
        self._bars: dict[str, list[int]] = {}

    @abstractmethod
    def expression(self, level: int = SUM) -> Notation:
        """What stands here, up to the first operator that binds less tightly than `level`."""

    @abstractmethod
    def relation(self) -> Notation:
        """An expression, or several with relation signs between them."""

    @abstractmethod
    def operand(self, level: int = TIGHT) -> Notation:
        """One operand, with its scripts and signs before it."""

    @abstractmethod
    def starts_factor(self) -> bool:
        """Whether what stands here could be a factor after another one, without a sign between them."""

    @property
    def token(self) -> Token:
        """The token here."""
        return self.tokens[self.at]

    def is_kind(self, *kinds: Kind) -> bool:
        """Whether the token here is of one of the kinds."""
        return self.tokens[self.at].kind in kinds

    def peek(self, ahead: int = 1) -> Token:
        """A later token; the last one where there are no more."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def step(self) -> Token:
        """The token here; the cursor moves behind it."""
        token = self.tokens[self.at]
        if token.kind != "stop":
            self.at += 1
        return token

    def is_sign(self, *texts: str) -> bool:
        """Whether one of the signs stands here."""
        token = self.tokens[self.at]
        return token.kind == "sign" and token.text in texts

    def took(self, *texts: str) -> bool:
        """Steps over one of the signs, if it stands here."""
        if not self.is_sign(*texts):
            return False
        self.at += 1
        return True

    def expect(self, sign: str) -> None:
        """Steps over the sign. Raises FormulaError if something else stands here."""
        if not self.took(sign):
            raise self.error(self.unexpected(), expected=_SHOWN.get(sign, sign))

    def span(self, start: int) -> Span:
        """From `start` to the end of the last token that was read."""
        return start, self.tokens[max(self.at - 1, 0)].end

    def asks(self, choice: Choice) -> bool:
        """Whether to read the unlikelier way at a place where two are possible."""
        self.lexer.met[choice] = None
        return choice in self.lexer.swaps

    def written(self, token: Token) -> str:
        """A token as the person wrote it."""
        return self.text[token.start : token.end] or _SHOWN.get(token.text, token.text)

    def unexpected(self) -> str:
        """What is wrong with the token here."""
        token = self.token
        if token.kind == "stop":
            return "the formula ends too early"
        return f"{self.written(token)} cannot stand here"

    def error(
        self, what: str, token: Token | None = None, *, expected: str | None = None, next: str | None = None
    ) -> FormulaError:
        """A FormulaError at a token, the one here by default."""
        token = token or self.token
        end = max(token.end, token.start + 1)
        return FormulaError(
            what, place=Place(self.text, token.start, end, self.lexer.source), expected=expected, next=next
        )

    def too_deep(self, token: Token) -> BackproofError:
        """The error for a formula that is nested too deeply."""
        return LimitError(
            "the formula is nested too deeply",
            place=Place(self.text, token.start, max(token.end, token.start + 1), self.lexer.source),
            expected=f"at most {MAX_NESTING} levels of brackets, fractions and powers inside each other",
            next="give names to parts of the formula",
        )

    def deeper(self) -> None:
        """Notes that a part inside a part begins. Raises LimitError below the deepest level."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.too_deep(self.token)

    def mate(self, at: int | None = None) -> int:
        """The position of the bracket that closes the one here."""
        return self.mates[self.at if at is None else at]

    def close(self, stop: int) -> None:
        """Steps over the closing bracket at `stop`. Raises FormulaError if something else stands before it."""
        if self.at != stop:
            raise self.error(self.unexpected(), expected="an operator or " + self.written(self.tokens[stop]))
        self.at += 1
        if self.at >= len(self.tokens):
            self.at = len(self.tokens) - 1

    def bars_left(self, bar: str) -> int:
        """How many such bars stand from here to the end of the innermost bracket."""
        if bar not in self._bars:
            self._bars[bar] = self._counted(bar)
        return self._bars[bar][self.at]

    def _counted(self, bar: str) -> list[int]:
        counts = [0] * len(self.tokens)
        levels = [0]
        for at in range(len(self.tokens) - 1, -1, -1):
            token = self.tokens[at]
            if self.mates[at] == -2:
                levels.append(0)
            elif self.mates[at] > 0:
                levels.pop()
            elif token.kind == "sign" and token.text == bar:
                levels[-1] += 1
            counts[at] = levels[-1]
        return counts

    def _matched(self, tokens: list[Token]) -> tuple[list[Token], list[int]]:
        """The tokens without line ends in brackets, and for each opening one where it closes; −2 marks closing ones."""
        kept: list[Token] = []
        mates: list[int] = []
        stack: list[tuple[int, tuple[str, ...]]] = []
        bars = [0]

        def keep(token: Token, mate: int = -1) -> None:
            kept.append(token)
            mates.append(mate)

        for token in tokens:
            sign = token.text if token.kind == "sign" else ""
            if token.kind == "newline" and stack:
                continue
            if sign in CLOSERS or token.kind == "begin":
                if len(stack) >= MAX_NESTING:
                    raise self.too_deep(token)
                stack.append((len(kept), CLOSERS.get(sign, ("end",))))
                bars.append(0)
                keep(token)
            elif sign in _CLOSING or token.kind == "end":
                if not stack:
                    raise self._unbalanced(
                        token, f"{self.written(token)} closes nothing", "an opening bracket before it"
                    )
                opener, closers = stack.pop()
                if (sign or "end") not in closers:
                    raise self._unbalanced(
                        token,
                        f"{self.written(kept[opener])} is closed by {self.written(token)}",
                        _SHOWN.get(closers[0], closers[0]),
                    )
                bars.pop()
                mates[opener] = len(kept)
                keep(token, -2)
            elif sign == "‖" and self.text[token.start : token.end] == "||" and bars[-1] % 2:
                # |x||y|: two single bars side by side.
                keep(token._replace(text="|", end=token.start + 1))
                keep(token._replace(text="|", start=token.start + 1, spaced=False))
            else:
                bars[-1] += sign == "|"
                keep(token)
        if stack:
            opener = kept[stack[-1][0]]
            raise self._unbalanced(
                opener, f"{self.written(opener)} is never closed", _SHOWN.get(stack[-1][1][0], stack[-1][1][0])
            )
        return kept, mates

    def _unbalanced(self, token: Token, what: str, expected: str) -> FormulaError:
        return self.error(what, token, expected=expected, next="balance the brackets")
