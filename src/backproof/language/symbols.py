"""Symbols: every meaning that a written name with its subscripts and superscripts can have in a scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from backproof.errors import UnknownNameError
from backproof.language.notation import Notation, Product, Symbol, Words
from backproof.language.reading import Reader, bare, letter_of
from backproof.language.scope import label_text, other_case, spellings

SLICE: Final = ":"
_LAYER_LETTERS: Final = frozenset({"l", "L"})


@dataclass(frozen=True, slots=True)
class TensorUse:
    """A tensor with its subscripts: letters or `:`; `sample` is the letter of an example, x^{(i)}.

    `note` is what has to be said about this use, `only_example` a superscript (i) left out where there is one example.
    `spelling` is how its name was written, without layer and indices.
    """

    name: str
    letters: tuple[str, ...] = ()
    sample: str | None = None
    note: str | None = None
    only_example: str | None = None
    spelling: str | None = None


@dataclass(frozen=True, slots=True)
class Kronecker:
    """δ_ij of two letters."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class SizeUse:
    """The number of values of a sort; None for a size that only an upper bound of a sum names."""

    letter: str
    sort: str | None


@dataclass(frozen=True, slots=True)
class Constant:
    """A named real number: π, e."""

    name: str


@dataclass(frozen=True, slots=True)
class Special:
    """The identity matrix, or the vector of ones; its size follows from where it is used."""

    kind: str


Meaning = TensorUse | Kronecker | SizeUse | Constant | Special
Option = tuple[int, Meaning]


def meanings(reader: Reader, symbol: Symbol, label: str | None = None, *, own: bool = True) -> list[Option]:
    """All meanings of a symbol with their costs; `label` is a bare superscript that is tried as a layer.

    With `own=False` only tensors count: not sizes, constants or Kronecker's delta.
    """
    written = label if label is not None else (label_text(symbol.label) if symbol.label is not None else None)
    if written is None and symbol.label is not None:
        return []
    items = _items(reader, symbol)
    bases = spellings(symbol)
    explicit = label is None and symbol.label is not None
    spelling = bases[0]
    options = _tensor_meanings(reader, bases, written, items, explicit=explicit)
    if not options and (swapped := other_case(bases)):
        options = _tensor_meanings(reader, swapped, written, items, explicit=explicit)
    if not options and written is None and (split := _split_digits(symbol)) is not None:
        spelling = split[0]
        options = _tensor_meanings(reader, (spelling,), split[1], items)
    options = [(cost, _spelt(use, spelling)) for cost, use in options]
    if own and label is None:
        options += _other_meanings(reader, symbol, items, found=bool(options))
    return options


def _spelt(use: Meaning, spelling: str) -> Meaning:
    return replace(use, spelling=spelling) if isinstance(use, TensorUse) else use


def unknown_name(reader: Reader, symbol: Symbol, node: Notation) -> UnknownNameError:
    """The error for a symbol without a meaning."""
    name = written_name(symbol)
    return UnknownNameError(
        f"nothing here is called {name}",
        place=reader.source.place(node),
        next=reader.suggestion(spellings(symbol)[0]),
    )


def written_name(symbol: Symbol) -> str:
    """The symbol's name with its marks, in a line."""
    name = f"{symbol.name}{symbol.star}" + (f" ({symbol.accent})" if symbol.accent else "")
    subs = [label_text(s) or "…" for s in symbol.subscripts]
    name += f"_{''.join(subs)}" if subs else ""
    return name + (f"^({label_text(symbol.label) or '…'})" if symbol.label is not None else "")


def _items(reader: Reader, symbol: Symbol) -> tuple[Notation, ...]:
    """The subscripts one by one: W_{ij} has two, however they were grouped."""
    items: list[Notation] = []
    for sub in symbol.subscripts:
        inner = bare(sub)
        if isinstance(inner, Product) and inner.sign == "":
            items.extend(bare(factor) for factor in inner.factors)
        else:
            items.append(inner)
    if (
        len(items) == 1
        and isinstance(items[0], Symbol)
        and 2 <= len(items[0].name) <= 4
        and letter_of(items[0]) is None
    ):
        name = items[0].name
        known = any(reader.scope.tensors((f"{base}_{name}", f"{base}{name}"), None) for base in spellings(symbol))
        if name.isalpha() and not known and not items[0].subscripts:
            return tuple(Symbol(letter, span=items[0].span) for letter in name)
    return tuple(items)


def index_name(item: Notation) -> str | None:
    """The letter that stands as an index, or `:` for a whole axis; None for what is no index."""
    if (isinstance(item, Symbol) and item.name == SLICE) or (isinstance(item, Words) and item.text.strip() == SLICE):
        return SLICE
    return letter_of(item)


def _letters(items: Sequence[Notation]) -> tuple[str, ...] | None:
    found = [index_name(item) for item in items]
    return None if any(f is None for f in found) else tuple(f for f in found if f is not None)


def _tensor_meanings(
    reader: Reader, bases: tuple[str, ...], label: str | None, items: Sequence[Notation], *, explicit: bool = False
) -> list[Option]:
    """The tensors that a name can mean, its subscripts read as a layer, as indices or as a part of the name."""
    scope = reader.scope
    letters = _letters(items)
    if label is not None:
        layered = scope.tensors(bases, label)
        options = _indexed(reader, 0, layered, letters)
        if explicit and not layered:
            options += _only_layer(reader, bases, label, letters)
        if len(label) == 1 and label.isalpha() and not (layered and label in _LAYER_LETTERS):
            options += _sampled(reader, 2, scope.tensors(bases, None), letters, label)
            if items and (first := label_text(items[0])):
                options += _sampled(reader, 1, scope.tensors(bases, first), _letters(items[1:]), label)
        return options
    if not items:
        return _indexed(reader, 0, scope.tensors(bases, None), ())
    joined = "".join(label_text(item) or "?" for item in items)
    options = _indexed(
        reader, 0, scope.tensors(tuple(f"{b}{sep}{joined}" for b in bases for sep in ("_", "")), None), ()
    )
    first = label_text(items[0])
    bound = letters is not None and bool(reader.bound.get(letters[0]))
    layered = scope.tensors(bases, first) if first is not None else ()
    options += _indexed(reader, 2 if bound else 0, layered, _letters(items[1:]))
    if "delta" in bases and not layered:
        options += _only_layer(reader, bases, first, _letters(items[1:]))
    if not (layered and first in _LAYER_LETTERS):
        options += _indexed(reader, 0 if bound else 1, scope.tensors(bases, None), letters)
    if len(items) > 1 and (last := label_text(items[-1])) is not None:
        options += _indexed(reader, 1, scope.tensors(bases, last), _letters(items[:-1]))
    return options


def _only_layer(
    reader: Reader, bases: tuple[str, ...], label: str | None, letters: tuple[str, ...] | None
) -> list[Option]:
    note = f"layer {label} is read as the output layer"
    uses = _indexed(reader, 0, reader.scope.only_layer(bases, label), letters)
    return [(cost, replace(use, note=note)) for cost, use in uses if isinstance(use, TensorUse)]


def _indexed(reader: Reader, cost: int, names: Sequence[str], letters: tuple[str, ...] | None) -> list[Option]:
    """The tensors that have room for the indices; a row of a matrix, W_k, is less likely than a fully indexed one."""
    if letters is None:
        return []
    options: list[Option] = []
    for k, name in enumerate(names):
        missing = len(reader.scope.program.sorts(name)) - len(letters)
        if missing >= 0:
            options.append((cost + k + (2 if missing and letters else 0), TensorUse(name, letters)))
    return options


def _sampled(
    reader: Reader, cost: int, names: Sequence[str], letters: tuple[str, ...] | None, sample: str
) -> list[Option]:
    """The tensors with an axis of examples, at an example; without such an axis there is one example only."""
    if letters is None:
        return []
    options: list[Option] = []
    for name in names:
        sorts = reader.scope.program.sorts(name)
        if (reader.scope.batch in sorts if reader.scope.batch else len(sorts) > 1) and len(letters) < len(sorts):
            options.append((cost, TensorUse(name, letters, sample)))
        elif reader.scope.batch is None and len(letters) <= len(sorts) < 2:
            note = f"there is one example; the superscript ({sample}) is left out"
            options.append((cost, TensorUse(name, letters, note=note, only_example=sample)))
    return options


def _split_digits(symbol: Symbol) -> tuple[str, str] | None:
    """A name that ends in its layer, W2 or delta2, as name and layer."""
    stem = symbol.name.rstrip("0123456789")
    if not stem or stem == symbol.name or symbol.accent or symbol.star:
        return None
    return stem.rstrip("_") or stem, symbol.name[len(stem) :]


def _other_meanings(reader: Reader, symbol: Symbol, items: Sequence[Notation], *, found: bool) -> list[Option]:
    scope = reader.scope
    plain = not symbol.accent and not symbol.star and symbol.label is None
    options: list[Option] = []
    letters = _letters(items)
    if symbol.name == "delta" and plain and letters is not None and len(letters) == 2 and SLICE not in letters:
        options.append((0, Kronecker(*letters)))
    key = written_key(symbol)
    cost = 2 if found else 0
    if plain and key is not None:
        if (sort := scope.sort_of(key)) is not None:
            options.append((cost, SizeUse(key, sort)))
            cost += 3
        if key in reader.upper_bounds:
            options.append((cost, SizeUse(key, None)))
    if plain and scope.loss(symbol.name) and letters in ((), None):
        options.append((1 if found else 0, TensorUse(scope.loss(symbol.name) or "")))
    if plain and not found and not options:
        if symbol.name in ("pi", "e") and not items:
            options.append((0, Constant(symbol.name)))
        elif symbol.name in ("I", "Id", "eye"):
            options.append((0, Special("identity")))
        elif symbol.name in ("1", "ones", "one"):
            options.append((0, Special("ones")))
    return options


def written_key(symbol: Symbol) -> str | None:
    """The key of a symbol as a size: `m`, `n_l`."""
    subs = [label_text(bare(s)) for s in symbol.subscripts]
    if any(s is None for s in subs):
        return None
    return symbol.name + ("_" + "".join(s or "" for s in subs) if subs else "")
