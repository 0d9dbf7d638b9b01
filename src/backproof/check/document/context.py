"""What a document has said so far: definitions, shapes and values, and the world that one formula lives in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Final, cast

from backproof.check.density import is_normal_density, with_density
from backproof.check.document.fallbacks import other_worlds
from backproof.check.document.forms import free_letters
from backproof.check.document.logits import named, unnamed
from backproof.check.document.making import Making, Setting
from backproof.check.document.marks import GRADIENT_LETTERS, bold_names
from backproof.check.document.means import counted, counted_relation
from backproof.check.document.names import MODES, VECTOR_FUNCTIONS, Mode
from backproof.check.document.shapes import uses
from backproof.check.document.substitution import Known
from backproof.check.document.variables import (
    depends_on_variable,
    differentiated,
    with_variables_held,
    without_variables,
)
from backproof.check.document.vectors import numbered_entry, written_out
from backproof.check.worksheet.reading import name_of
from backproof.errors import BackproofError, ShapeError, UnknownNameError
from backproof.language.notation import (
    Big,
    Call,
    Derivative,
    Notation,
    Number,
    Relation,
    Symbol,
    Transposed,
)
from backproof.language.reading import letter_of
from backproof.language.scope import LOSS_LETTERS
from backproof.language.traversal import fold, pieces_of, with_parts

MAX_VERSIONS: Final = 6
ROWS: Final = "vectors are read as rows"
USUAL_INDICES: Final = frozenset("ijklmnpqst")


@dataclass
class Context:
    """Everything that was said before a formula."""

    name: str
    definitions: dict[str, list[Known]] = field(default_factory=dict[str, list[Known]])
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    values: dict[str, Fraction] = field(default_factory=dict[str, Fraction])
    families: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict[str, tuple[str, tuple[str, ...]]])
    words: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    symmetric: set[str] = field(default_factory=set[str])
    summed: set[str] = field(default_factory=set[str])
    classes: set[str] = field(default_factory=set[str])
    ranged: set[str] = field(default_factory=set[str])
    samples: set[str] = field(default_factory=set[str])
    unit_axes: tuple[int, ...] = (0, 1)
    apart: frozenset[tuple[str, str]] = frozenset()
    _written: list[tuple[Relation, str]] = field(default_factory=list[tuple[Relation, str]])
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def define(self, node: Relation, text: str) -> bool:
        """Keeps a definition; False if the relation is none."""
        self._written.append((node, text))
        node = with_words(node, self.apart)
        node = self._with_hidden_indices(node)
        head, body = node.sides[0], node.sides[1]
        parameters: tuple[str, ...] | None = None
        symbol: Notation = head
        if isinstance(head, Call) and not head.primes and head.power is None:
            found = [name_of(a) for a in head.arguments]
            if not all(found) or any(isinstance(a, Number) for a in head.arguments):
                return False
            parameters, symbol = tuple(f or "" for f in found), head.function
        if not isinstance(symbol, Symbol) or written_out(body):
            return False
        name = name_of(symbol) if parameters is not None else next(iter(uses(symbol)), (None, ()))[0]
        if name is None:
            return False
        known = Known(name, symbol, parameters, body, text, bold_names(node, text), next(self._order))
        self.definitions.setdefault(name, []).append(known)
        return True

    def _with_hidden_indices(self, node: Relation) -> Relation:
        """L_i = −log(e^{f_y}/Σ_j e^{f_j}) depends on y: the index stands on the head in all that follows."""
        head = node.sides[0]
        if not isinstance(head, Symbol) or head.label is not None or head.name in GRADIENT_LETTERS:
            return with_families(node, self.families)
        self.families.pop(head.name, None)
        node = with_families(node, self.families)
        body = node.sides[1]
        free, own = free_letters(body), [letter for _, letters in uses(head)[:1] for letter in letters]
        bound = {i for n in pieces_of(body) if isinstance(n, Big) for i in n.indices}
        used: dict[str, set[str]] = {}
        for part in pieces_of(body):
            if isinstance(part, Symbol):
                for name, letters in uses(part)[:1]:
                    used.setdefault(name, set()).update(letters)
        hidden = free - set(own)
        indexed = {n for n, ks in self.definitions.items() if _index_letters(ks[-1].head)}
        turned = any(isinstance(n, Transposed) and isinstance(n.body, Symbol) for n in pieces_of(body))
        self.words |= {
            (base, h)
            for h in hidden
            if len(bases := [n for n, letters in used.items() if h in letters]) == 1 and not used[bases[0]] & bound
            for base in bases
            if base not in indexed and (turned or base not in self.summed) and h not in self.classes
        }
        self.words -= {(base, h) for base, letters in used.items() if letters & bound for h in letters}
        hidden -= {h for _, h in self.words}
        node = with_words(node, self.words)
        counts = [letter for n in pieces_of(body) if isinstance(n, Symbol) for _, own in uses(n)[:1] for letter in own]
        carried = {
            h
            for h in hidden
            for n, own in used.items()
            if h in own
            and (
                own & bound
                or h in self.classes
                or (n in indexed and (counts.count(h) == 1 or self._carries(n, h, used)))
                or (n in self.summed and len(own) == 1)
            )
        }
        if not hidden or carried != hidden:
            return node
        name = f"{head.name}one" if head.name in LOSS_LETTERS else head.name
        letters = (*(o for o in own if o in free), *sorted(hidden))
        self.families[head.name] = (name, letters)
        new = replace(head, name=name, subscripts=tuple(map(Symbol, letters)))
        return replace(node, sides=(new, *node.sides[1:]))

    def set_apart(self, relation: Relation) -> Context | None:
        """The context with u_o a vector of its own, where u_k is summed and o is never an index; None without such."""
        pairs = {
            (name, letters[0])
            for root in (relation, *(node for node, _ in self._written))
            for n in pieces_of(root)
            if isinstance(n, Symbol)
            for name, letters in uses(n)[:1]
            if len(letters) == 1
            and name in self.summed
            and letters[0] not in self.ranged | self.classes | USUAL_INDICES
        }
        if not pairs or pairs == set(self.apart):
            return None
        return self._again(self._written, frozenset(pairs))

    def _again(self, written: Iterable[tuple[Relation, str]], apart: frozenset[tuple[str, str]]) -> Context:
        """The context of other definitions."""
        other = Context(
            self.name,
            shapes=self.shapes,
            values=self.values,
            symmetric=self.symmetric,
            summed=self.summed,
            classes=self.classes,
            ranged=self.ranged,
            samples=self.samples,
            unit_axes=self.unit_axes,
            apart=apart,
        )
        for node, text in written:
            other.define(node, text)
        return other

    def losses(self) -> set[str]:
        """The letters of losses that are defined."""
        return set(self.definitions) & LOSS_LETTERS

    def _carries(self, name: str, letter: str, used: Mapping[str, set[str]]) -> bool:
        """Whether all names with an index are made from in the definition of a name with it: e_ui from p_u and q_i."""
        body = self.definitions[name][-1].body
        inside = {n for s in pieces_of(body) if isinstance(s, Symbol) for n, own in uses(s)[:1] if letter in own}
        return all(n == name or n in inside for n, own in used.items() if letter in own)

    def settings(self, relation: Relation, text: str) -> Iterator[Setting]:
        """Worlds for a formula: with the last definitions first, then with earlier ones.

        Raises BackproofError where no world fits the formula.
        """
        bodies = (k.body for versions in self.definitions.values() for k in versions)
        if "phi" not in self.definitions and is_normal_density((relation, *bodies)):
            relation = cast("Relation", with_density(relation))
        if (wanted := unnamed(relation, self.definitions)) and (written := named(self._written, wanted)) is not None:
            yield from self._again(written, self.apart).settings(relation, text)
            return
        relation = with_words(with_families(with_words(relation, self.apart), self.families), self.words)
        relation = numbered_entry(relation, self._indexed(relation))
        failed: BackproofError | None = None
        found = False
        for versions, earlier, cut in self._choices(relation):
            axes = self._unit_axes(relation, versions)
            for setting in self._worlds(relation, text, versions, axes, earlier=earlier):
                if isinstance(setting, BackproofError):
                    failed = failed or (None if cut else setting)
                    continue
                found = found or not cut
                yield replace(setting, cut=cut)
        if found or failed is None:
            return
        for setting in self._fallbacks(relation, text, failed):
            found = True
            yield setting
        if not found:
            raise failed

    def _fallbacks(self, relation: Relation, text: str, failed: BackproofError) -> Iterator[Setting]:
        """Worlds for a formula that fits in none as the definitions stand."""
        if isinstance(failed, UnknownNameError):
            return
        last = {name: versions[-1] for name, versions in self.definitions.items()}
        rows = [(relation, last, ROWS)] if isinstance(failed, ShapeError) else []
        for claim, versions, note in itertools.chain(rows, other_worlds(relation, last, self.samples)):
            found = False
            axes = self._unit_axes(claim, versions)[:1]
            for setting in self._worlds(claim, text, versions, axes, earlier=False, rows=note == ROWS):
                if not isinstance(setting, BackproofError):
                    found = True
                    yield replace(setting, notes=(*setting.notes, note))
            if found:
                return

    def _worlds(
        self,
        relation: Relation,
        text: str,
        versions: Mapping[str, Known],
        axes: Sequence[int | None],
        *,
        earlier: bool,
        rows: bool = False,
    ) -> Iterator[Setting | BackproofError]:
        """The worlds by every mode that is called for, or why there is none.

        Means run over as many terms as they divide by, where that fits.
        """
        variants = self._with_means(relation, versions)
        allowed: AbstractSet[Mode] = frozenset(MODES)
        fits = False
        for mode, axis in itertools.product(MODES, axes):
            setting: Setting | BackproofError | None = None
            for claim, chosen, counts in variants if mode in allowed else ():
                make = partial(
                    Making,
                    self.name,
                    self.shapes,
                    claim,
                    text,
                    chosen,
                    unit_axis=axis,
                    rows=rows,
                    symmetric=self.symmetric,
                )
                making = make(mode=mode)
                try:
                    made = making.setting(earlier=earlier)
                except BackproofError as error:
                    setting = setting or error
                    continue
                finally:
                    allowed = making.allowed
                told = {
                    m: i
                    for name, letters in counts.items()
                    if not name or name in making.needed
                    for m, i in letters.items()
                }
                said = tuple(f"{m} is the number of terms of the sum over {i}" for m, i in sorted(told.items()))
                setting = made and replace(made, notes=(*made.notes, *said), as_matrices=partial(_as_matrices, make))
                break
            if isinstance(setting, Setting):
                other = axis is not None and axis != self.unit_axes[0]
                if other and not any(len(sorts) == 2 for sorts in setting.world.program.inputs.values()):
                    continue
                setting = replace(setting, vetoed=fits and not setting.tentative, other=other)
                fits = fits or setting.tentative
            if setting is not None:
                yield setting
            if isinstance(setting, Setting) and mode == "convention":
                yield from self._with_number(relation, text, versions, axis)

    def _with_number(
        self, relation: Relation, text: str, versions: Mapping[str, Known], axis: int | None
    ) -> Iterator[Setting]:
        """The world in which b of Xw + b is a number that every entry gets, where a small letter is the variable."""
        variables = {
            name_of(d.wrt) or "" for d in pieces_of(relation) if isinstance(d, Derivative) and isinstance(d.wrt, Symbol)
        }
        free = {v for v in variables if len(v) == 1 and v.islower() and v not in self.shapes and v not in versions}
        for name in sorted(free):
            shapes = {**self.shapes, name: ()}
            making = Making(
                self.name, shapes, relation, text, versions, mode="convention", unit_axis=axis, symmetric=self.symmetric
            )
            try:
                made = making.setting(earlier=False)
            except BackproofError:
                continue
            vector = name in making.transposed or name in making.evidence.vectors
            if made is not None and name in making.evidence.beside and not vector:
                yield replace(made, notes=(*made.notes, f"{name} is read as a number"))

    def _with_means(
        self, relation: Relation, versions: Mapping[str, Known]
    ) -> list[tuple[Relation, Mapping[str, Known], Mapping[str, Mapping[str, str]]]]:
        """The formula and definitions with the sums of means counted, if there are any, and as they stand."""
        taken = set(versions) | set(self.shapes) | set(self.values)
        claim, letters = counted_relation(relation, taken)
        means = {n: counted(k.body, taken) for n, k in versions.items()}
        counts = {"": letters, **{n: found for n, (_, found) in means.items() if found}}
        plain = (relation, versions, dict[str, Mapping[str, str]]())
        if not any(counts.values()):
            return [plain]
        return [(claim, {n: replace(k, body=means[n][0]) for n, k in versions.items()}, counts), plain]

    def _unit_axes(self, relation: Relation, versions: Mapping[str, Known]) -> tuple[int | None, ...]:
        """The axes that a softmax of a matrix may run over; nothing where no such function occurs."""
        called = {
            n.function.name
            for root in (relation, *(k.body for k in versions.values()))
            for n in pieces_of(root)
            if isinstance(n, Call) and isinstance(n.function, Symbol)
        }
        return self.unit_axes if called & VECTOR_FUNCTIONS - {"diag"} else (None,)

    def _indexed(self, relation: Relation) -> set[str]:
        """The names that carry index letters in a formula or in what it is about."""
        named = {n for d in pieces_of(relation) if isinstance(d, Symbol) for n, _ in uses(d)}
        bodies = [self.definitions[n][-1].body for n in named if n in self.definitions]
        return {
            name
            for root in (relation, *bodies)
            for node in pieces_of(root)
            if isinstance(node, Symbol)
            for name, letters in uses(node)[:1]
            if letters
        }

    def _choices(self, relation: Relation) -> Iterator[tuple[Mapping[str, Known], bool, bool]]:
        """Definitions to judge by: whether they are earlier ones, and whether the variables were left undefined.

        ∂z/∂a does not need the definition of a: what holds for any a holds.
        """
        for number, versions in enumerate(self._versions(relation)):
            if not number and (fewer := without_variables(relation, versions)) is not None:
                yield fewer, False, True
            if not number and (held := with_variables_held(relation, versions)) is not None:
                yield held, False, True
            yield versions, number > 0, False

    def _versions(self, relation: Relation) -> Iterator[Mapping[str, Known]]:
        """Which definition each name has: the last one, or for one name another."""
        last = {name: versions[-1] for name, versions in self.definitions.items()}
        found = list(dict.fromkeys(differentiated(relation)))
        heads = [n for n in found if n in self.definitions]
        if found and "" in found and not heads:
            # The derivative of a formula: its letters stand for themselves, whatever they meant before.
            # The functions that it calls keep theirs.
            called = {name_of(n.function) for n in pieces_of(relation) if isinstance(n, Call)}
            if depends_on_variable(relation, last):
                yield last
            yield {n: k for n, k in last.items() if n in called and k.parameters is not None}
        near: list[Known] = []
        for head in heads:
            same = [k for n, ks in self.definitions.items() if n == head or n.startswith(f"{head}_") for k in ks]
            near += sorted(same, key=lambda k: -k.order)[:MAX_VERSIONS]
        if not near:
            yield last
            return
        tried: list[Mapping[str, Known]] = []
        for known in near:
            base = known.name.partition("_")[0] if known.name not in heads else known.name
            # Another definition of the same letter, with what was defined no later than a little after it.
            versions = {
                **last,
                base: replace(known, name=base, head=Symbol(base) if base != known.name else known.head),
            }
            if versions not in tried:
                tried.append(versions)
                yield versions


def _as_matrices(make: Callable[..., Making]) -> Setting | None:
    return make(mode="matrices").setting(earlier=False)


def _index_letters(head: Notation) -> tuple[str, ...]:
    """The index letters on the head of a definition."""
    return next((own for _, own in uses(head)), ()) if isinstance(head, Symbol) else ()


def with_words(root: Relation, words: AbstractSet[tuple[str, str]]) -> Relation:
    """The relation with u_o as one name where o is no index of u."""
    if not words:
        return root

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(node, Symbol) and len(node.subscripts) == 1:
            letter = letter_of(node.subscripts[0])
            if letter is not None and (node.name, letter) in words:
                return replace(node, name=f"{node.name}_{letter}", subscripts=())
        return with_parts(node, inside)

    found = fold(root, rule)
    return found if isinstance(found, Relation) else root


def with_families(root: Relation, families: Mapping[str, tuple[str, tuple[str, ...]]]) -> Relation:
    """The relation with the indices that the names of families carry."""
    if not families:
        return root

    def rule(node: Notation, inside: tuple[Notation, ...]) -> Notation:
        if isinstance(node, Symbol) and node.name in families and node.label is None:
            name, letters = families[node.name]
            return replace(node, name=name, subscripts=tuple(map(Symbol, letters)))
        return with_parts(node, inside)

    found = fold(root, rule)
    return found if isinstance(found, Relation) else root
