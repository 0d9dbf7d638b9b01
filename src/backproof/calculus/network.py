"""Networks: what a person says in options, as programs of definitions in index notation.

A network of given depth is one section: a program with its loss J. A network of symbolic depth L has two: the last
layer, and a hidden layer l between its neighbours, where the adjoint of the layer above enters as a name. The second
section is the induction step: its loss is the linear form Σ δ(l+1)·z(l+1), whose adjoints are those of J by the chain
rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Final, Literal

from backproof import catalog
from backproof.calculus.sweep import adjoint_name
from backproof.errors import NetworkError
from backproof.language.expression import (
    Expr,
    Index,
    Tensor,
    add,
    apply,
    mul,
    num,
    postorder,
    power,
    reindex,
    size,
    sum_over,
    tensor,
)
from backproof.language.program import Assumption, Definition, Program
from backproof.language.walks import inline, names, resorted

Reduction = Literal["none", "sum", "mean", "mean-all"]
Layout = Literal["columns", "rows", "rows-out-in"]
REDUCTIONS: Final = ("none", "sum", "mean", "mean-all")
LAYOUTS: Final = ("columns", "rows", "rows-out-in")
LETTERS: Final = "kijpqrtuvwcde"
MAX_LAYERS: Final = 2_000
_SIZE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Section:
    """A program, the scalar that its adjoints belong to, and the layers whose equations it gives."""

    program: Program
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """A feed-forward network with its loss.

    `sizes` are the layer sizes from input to output, numbers or letters; empty for the output layer alone.
    `symbolic_depth` says that the hidden layers repeat to a symbolic depth L (`n-h..h-k`). `hidden`, `output` and
    `loss` name entries of the catalogue or abstract functions. `l2` is a number or a letter: λ/2·Σw², scaled like the
    data term, biases excluded.

    >>> Network(output="sigmoid", loss="bce").program.names
    ('z', 'y', 'a', 'J')
    """

    sizes: tuple[str, ...] = ()
    symbolic_depth: bool = False
    hidden: str = "sigmoid"
    output: str = "sigmoid"
    loss: str = "bce"
    reduction: Reduction = "none"
    l2: str | None = None
    layout: Layout = "columns"

    def __post_init__(self) -> None:
        if self.reduction not in REDUCTIONS:
            raise NetworkError(f"unknown reduction {self.reduction!r}", expected=", ".join(REDUCTIONS))
        if self.layout not in LAYOUTS:
            raise NetworkError(f"unknown layout {self.layout!r}", expected=", ".join(LAYOUTS))
        object.__setattr__(self, "output", catalog.activation(self.output).name)
        object.__setattr__(self, "loss", catalog.loss(self.loss).name)
        if self.sizes:
            object.__setattr__(self, "hidden", catalog.activation(self.hidden).name)
        if self.l2 is not None and self.regulariser is None:
            object.__setattr__(self, "l2", None)

    @property
    def batch(self) -> bool:
        """Whether there are m examples."""
        return self.reduction != "none"

    @cached_property
    def regulariser(self) -> Expr | None:
        """λ as an expression, or None without L2."""
        if self.l2 is None:
            return None
        text = self.l2.strip()
        if re.fullmatch(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE]-?[0-9]{1,2})?|[0-9]{1,20}/[1-9][0-9]{0,20}", text):
            value = Fraction(text)
            return num(value) if value else None
        name = catalog.plain_name(text)
        if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,15}", name):
            return tensor(name)
        raise NetworkError("the L2 weight cannot be read", expected="a number or a letter", got=self.l2)

    @cached_property
    def depth(self) -> int:
        """The number of layers with weights; 0 for the output layer alone, 2 for a symbolic depth (l and L)."""
        return max(0, len(self.sizes) - 1)

    @cached_property
    def last(self) -> str:
        """The label of the last layer: "" for the output layer alone, "L" for a symbolic depth."""
        return "L" if self.symbolic_depth else str(self.depth) if self.sizes else ""

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The programs whose adjoints make up the derivation, last layer first."""
        if not self.symbolic_depth:
            labels = tuple(str(k) for k in range(self.depth, 0, -1)) if self.sizes else ("",)
            return (Section(_Builder(self).whole(), labels),)
        return (Section(_Builder(self).last_layer(), ("L",)), Section(_Builder(self).hidden_layer(), ("l",)))

    @cached_property
    def program(self) -> Program:
        """All forward definitions of the network in one program (the hidden section without its linear form)."""
        first, *rest = (s.program for s in self.sections)
        inputs, definitions, assumptions = dict(first.inputs), list(first.definitions), list(first.assumptions)
        for section in rest:
            inputs |= section.inputs
            definitions = [d for d in section.definitions if d.name != "J"] + definitions
            assumptions += [a for a in section.assumptions if a not in assumptions]
        return Program(inputs, tuple(definitions), tuple(assumptions), first.row_vectors)

    @cached_property
    def admissible(self) -> tuple[Assumption, ...]:
        """What the loss takes for granted of its target, such as Σy = 1: a claim may need it, and then says so."""
        entry = catalog.loss(self.loss)
        if entry.target not in ("distribution", "one-hot"):
            return ()
        target = "Y" if self.batch else "y"
        axis = 0 if self.batch and self.layout == "columns" else len(self.program.inputs[target]) - 1
        return (Assumption(target, "unit-sum", axis=axis),)

    def describe(self) -> str:
        """The network in a few words.

        >>> Network(output="softmax", loss="cross-entropy").describe()
        'softmax with cross-entropy'
        """
        words = f"{self.output} with {self.loss}"
        if self.sizes:
            dash = "..".join(self.sizes[1:3]) if self.symbolic_depth else ""
            shape = f"{self.sizes[0]}-{dash}-{self.sizes[-1]}" if self.symbolic_depth else "-".join(self.sizes)
            words = f"{shape}, hidden {self.hidden}, output {words}"
        if self.batch:
            words += f", {self.reduction} over the batch, {self.layout}"
        return words + (f", L2 {self.l2}" if self.l2 else "")


def parse_layers(text: str) -> tuple[tuple[str, ...], bool]:
    """Layer sizes from text, and whether the depth is symbolic.

    >>> parse_layers("400-25-10")
    (('400', '25', '10'), False)
    >>> parse_layers("n-h..h-k")
    (('n', 'h', 'h', 'k'), True)
    """
    symbolic = ".." in text or "…" in text
    parts = re.split(r"\s*(?:-|…|\.\.+)\s*", text.strip())
    example = "sizes such as 400-25-10, n-h-k, or n-h..h-k for any depth"
    if len(parts) < 2 or not all(_SIZE.fullmatch(p) for p in parts):
        wrong = next((p for p in parts if not _SIZE.fullmatch(p)), text)
        raise NetworkError("the layer sizes cannot be read", expected=example, got=repr(wrong)[:80])
    if symbolic and (len(parts) != 4 or parts[1] != parts[2]):
        raise NetworkError("a symbolic depth repeats one hidden size", expected="n-h..h-k", got=repr(text)[:80])
    if len(parts) > MAX_LAYERS:
        raise NetworkError("too many layers", expected=f"at most {MAX_LAYERS}", got=str(len(parts)))
    return tuple(parts), symbolic


def template_sort(template: Definition) -> str:
    """The one sort over which a vector definition of the catalogue runs."""
    return next(i.sort for node in postorder(template.body) if isinstance(node, Tensor) for i in node.indices)


@dataclass
class _Builder:
    """Writes the definitions of one network."""

    network: Network

    def __post_init__(self) -> None:
        self.inputs: dict[str, tuple[str, ...]] = {}
        self.definitions: list[Definition] = []
        self.assumptions: list[Assumption] = []
        taken = set(self.network.sizes)
        self.batch_sort = next(s for s in ("m", "B", "N", "examples") if s not in taken)
        self.example = Index("s", self.batch_sort)

    def whole(self) -> Program:
        sizes = self.network.sizes
        if not sizes:
            self._input("z", self._axes("k"))
            return self._finished("", "k")
        self._input("x", self._axes(sizes[0]))
        for k in range(1, len(sizes)):
            self._dense(str(k), "x" if k == 1 else f"a({k - 1})", sizes[k - 1], sizes[k])
            if k < len(sizes) - 1:
                self._activation(self.network.hidden, str(k), sizes[k])
        return self._finished(str(len(sizes) - 1), sizes[-1])

    def last_layer(self) -> Program:
        _, _, hidden, output = self.network.sizes
        self._input("a(L-1)", self._axes(hidden))
        self._dense("L", "a(L-1)", hidden, output)
        return self._finished("L", output)

    def hidden_layer(self) -> Program:
        hidden = self.network.sizes[1]
        self._input("a(l-1)", self._axes(hidden))
        self._dense("l", "a(l-1)", hidden, hidden)
        self._activation(self.network.hidden, "l", hidden)
        self._dense("l+1", "a(l)", hidden, hidden)
        above = adjoint_name("J", self._name("z", "l+1"))
        axes = self._axes(hidden)
        self.inputs[above] = tuple(i.sort for i in axes)
        form = sum_over(axes, mul(tensor(above, *axes), tensor(self._name("z", "l+1"), *axes)))
        self._define("J", (), add(form, self._penalty(("l",))))
        return self._program()

    def _finished(self, label: str, output: str) -> Program:
        self._activation(self.network.output, label, output)
        self._loss(label, output)
        return self._program()

    def _program(self) -> Program:
        return Program(
            self.inputs, tuple(self.definitions), tuple(self.assumptions), row_vectors=self.network.layout != "columns"
        )

    def _name(self, letter: str, label: str) -> str:
        base = letter.upper() if self.network.batch else letter
        return f"{base}({label})" if label else base

    def _written(self, name: str) -> str:
        return name[0].upper() + name[1:] if self.network.batch else name

    def _axes(self, sort: str, letter: str = "i") -> tuple[Index, ...]:
        unit = Index(letter, sort)
        if not self.network.batch:
            return (unit,)
        return (unit, self.example) if self.network.layout == "columns" else (self.example, unit)

    def _input(self, name: str, axes: tuple[Index, ...]) -> None:
        self.inputs[self._written(name)] = tuple(i.sort for i in axes)

    def _define(self, name: str, indices: tuple[Index, ...], body: Expr) -> None:
        self.definitions.append(Definition(name, indices, body))

    def _entry(self, name: str, unit: Index) -> Expr:
        """The entry of a per-example vector, with the example's index where there is a batch."""
        return tensor(name, *(unit if i.name == "?" else i for i in self._axes(unit.sort, "?")))

    def _dense(self, label: str, below: str, fan_in: str, fan_out: str) -> None:
        j, i = Index("j", fan_in), Index("i", fan_out)
        weights, bias = f"W({label})", f"b({label})"
        out_in = self.network.layout != "rows"
        self.inputs[weights] = (fan_out, fan_in) if out_in else (fan_in, fan_out)
        self.inputs[bias] = (fan_out,)
        weight = tensor(weights, i, j) if out_in else tensor(weights, j, i)
        before = self._entry(self._written(below), j)
        product = mul(weight, before) if self.network.layout == "columns" else mul(before, weight)
        self._define(self._name("z", label), self._axes(fan_out), add(sum_over(j, product), tensor(bias, i)))

    def _activation(self, name: str, label: str, sort: str) -> None:
        entry = catalog.activation(name)
        i = Index("i", sort)
        logits = self._name("z", label)
        self._parameters(entry.hyperparameters)
        if entry.elementwise:
            body = apply(entry.name, self._entry(logits, i))
        else:
            body = self._over_axis(catalog.vector_definition(entry), {"z": logits}, i)
        self._define(self._name("a", label), self._axes(sort), body)

    def _over_axis(self, template: Definition, names: Mapping[str, str], unit: Index) -> Expr:
        """A catalogue definition over one axis, with this network's tensors in place of its parameters."""
        body = resorted(template.body, {template_sort(template): unit.sort})
        heads = {Index(i.name, unit.sort): unit for i in template.indices}
        entry = Index("#axis", unit.sort)
        bodies = {p: ((entry,), self._entry(written, entry)) for p, written in names.items()}
        return inline(reindex(body, heads), bodies)

    def _loss(self, label: str, output: str) -> None:
        entry = catalog.loss(self.network.loss)
        k = Index("k", output)
        self._input("y", self._axes(output))
        target, prediction = self._written("y"), self._name("a", label)
        self._parameters(entry.hyperparameters)
        if entry.elementwise:
            example = sum_over(k, apply(entry.name, self._entry(prediction, k), self._entry(target, k)))
        else:
            template = catalog.vector_definition(entry)
            example = self._over_axis(template, {"a": prediction, "y": target}, k)
        data = example
        if self.network.batch:
            data = mul(self._scale(output), sum_over(self.example, example))
        symbolic = self.network.symbolic_depth
        labels = ("L",) if symbolic else tuple(str(k) for k in range(1, self.network.depth + 1))
        self._define("J", (), add(data, self._penalty(labels)))

    def _scale(self, output: str) -> Expr:
        examples = size(self.batch_sort)
        match self.network.reduction:
            case "none" | "sum":
                return num(1)
            case "mean":
                return power(examples, -1)
            case "mean-all":
                return mul(power(examples, -1), power(size(output), -1))

    def _penalty(self, labels: tuple[str, ...]) -> Expr:
        weight = self.network.regulariser
        if weight is None or not self.network.sizes:
            return num(0)
        for name in names(weight):
            self.inputs[name] = ()
        terms: list[Expr] = []
        for label in labels:
            rows, columns = (Index(n, s) for n, s in zip("pq", self.inputs[f"W({label})"], strict=True))
            terms.append(sum_over((rows, columns), power(tensor(f"W({label})", rows, columns), 2)))
        scale = self._scale(self.network.sizes[-1])
        return add(*(mul(Fraction(1, 2), weight, scale, term) for term in terms))

    def _parameters(self, hyperparameters: tuple[catalog.Hyperparameter, ...]) -> None:
        for parameter in hyperparameters:
            self.inputs[parameter.name] = ()
            given = (replace(a, tensor=parameter.name) for a in parameter.assumptions)
            self.assumptions += [a for a in given if a not in self.assumptions]
