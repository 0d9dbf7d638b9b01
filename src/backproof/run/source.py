"""Sources: a schedule as a readable Python module, compiled by numba, with the equations as comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backproof.language.expression import (
    Tensor,
)
from backproof.run.careful_source import careful_imports, careful_source
from backproof.run.forms import is_careful
from backproof.run.formula_source import Formulas
from backproof.run.interface import Interface, Lines, equation_text, identifier, shape_text
from backproof.run.lowering import Product
from backproof.run.scheduling import Group, Schedule, Segment, Work

_ROWS: Final = ("gather", "largest", "place_of_largest", "product")
_AT_ONCE: Final = 1024  # terms of a sum that are added in one precision; their sums are added in float64


def compiled_source(schedule: Schedule, interface: Interface) -> str:
    """The module of a schedule, for numba."""
    return _Writer(schedule, interface).module()


@dataclass
class _Writer:
    schedule: Schedule
    interface: Interface

    def __post_init__(self) -> None:
        self.sorts = self.schedule.lowered.sorts
        self.constants: dict[str, str] = {}
        self.imports: set[str] = set()
        self.bits = "32" if self.interface.precision == "float32" else "64"

    def module(self) -> str:
        lines = Lines()
        self.views(lines)
        for stage in self.schedule.stages:
            if isinstance(stage, Product):
                self._product(lines, stage)
            else:
                self._group(lines, stage)
        for name in self._scalars():
            lines.add(f"{identifier(name)}_out[0] = {identifier(name)}")
        lines.add("return float(J)" if "J" in self.schedule.lowered.wanted else "return 0.0")
        outputs = [identifier(n) + ("_out" if n in self._scalars() else "") for n in self.interface.outputs]
        taken = ", ".join(["theta", "grad", "work", *map(identifier, self.interface.inputs), *outputs])
        careful_names = sorted(n for n in self.imports if is_careful(n))
        head = [
            '"""' + "A kernel that backproof wrote. The equations it computes:\n",
            *(f"    {equation_text(d)}"
              for d in self.schedule.lowered.program.definitions if self._computed(d.name)),
            '"""',
            "",
            "import numpy as np",
            "from numba import njit",
            f"from numba.types import Array as A, {self.interface.precision} as F_, float64",
            "",
            *(f"from backproof.run.compiled import {n if n in _ROWS else f'{n}{self.bits} as {n}'}"
              for n in sorted(self.imports) if not is_careful(n)),
            *sorted({line for n in careful_names for line in careful_imports(n, self.interface.precision)}),
            "",
            f"F = np.{self.interface.precision}",
            *(f"{name} = F({value})" for value, name in self.constants.items()),
            "",
            "",
            *(line for n in careful_names for line in careful_source(n, self.interface.precision)),
            f"@njit(float64({self._signature(taken.count(',') + 1)}),",
            '      cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})',
            f"def run({taken}):",
        ]  # fmt: skip
        return "\n".join([*head, *lines.rows]) + "\n"

    def _signature(self, taken: int) -> str:
        """The types of the arguments: given arrays may be read-only files."""
        axes = [len(self.sorts[n]) or 1 for n in (*self.interface.inputs, *self.interface.outputs)]
        inputs = len(self.interface.inputs)
        shown = ["A(F_, 1, 'C')"] * (taken - len(axes))
        shown += [f"A(F_, {n}, 'C'{', readonly=True' if k < inputs else ''})" for k, n in enumerate(axes)]
        return ", ".join(shown)

    def _scalars(self) -> list[str]:
        """The outputs that are numbers: each is given back in an array of one."""
        return [n for n in self.interface.outputs if not self.sorts[n]]

    def _computed(self, name: str) -> bool:
        made = {t for s in self.schedule.stages for t in ([s.target] if isinstance(s, Product) else s.targets)}
        return name in made

    # Memory

    def views(self, lines: Lines) -> None:
        first = identifier(self.interface.inputs[0])
        lines.add(f"m = {first}.shape[0]")
        for place in self.interface.parameters:
            stop = place.start + place.length
            shape = ", ".join(map(str, place.shape))
            name = identifier(place.name)
            lines.add(f"{name} = theta[{place.start}:{stop}].reshape(({shape},))")
            if self.interface.gradient:
                lines.add(f"d{name} = grad[{place.start}:{stop}].reshape(({shape},))")
        offset = 0
        starts: list[int] = []
        for width in self.schedule.widths:
            starts.append(offset)
            offset += width
        known = {p.name for p in self.interface.parameters} | set(self.interface.inputs) | set(self.interface.outputs)
        known |= {f"∂J/∂{p.name}" for p in self.interface.parameters} if self.interface.gradient else set()
        fixed = 0
        for name in self._made():
            owner = self.schedule.same.get(name, name)
            if name in known or name in self.schedule.local or name.startswith("K") or not self.sorts.get(name):
                continue
            sorts = self.sorts[name]
            if owner != name:
                continue
            if name in self.schedule.slots:
                start = starts[self.schedule.slots[name]]
                width = 1
                for s in sorts:
                    width *= int(s) if s.isdigit() else 1
                lines.add(f"{identifier(name)} = work[{start}*m:{start + width}*m].reshape({shape_text(sorts)})")
            elif name in self.schedule.rows:
                lines.add(f"{identifier(name)} = work[{offset}*m + {fixed}:{offset}*m + {fixed + int(sorts[1])}]")
                fixed += int(sorts[1])
            else:
                width = 1
                for s in sorts:
                    width *= int(s)
                view = f"work[{offset}*m + {fixed}:{offset}*m + {fixed + width}]"
                lines.add(f"{identifier(name)} = {view}.reshape({shape_text(sorts)})")
                fixed += width
        for stage in self.schedule.stages:
            for segment in () if isinstance(stage, Product) else stage.segments:
                for work in segment.works:
                    if segment.level == "loop" and work.task.kind == "max" and not work.over_rows:
                        width = int(segment.sort)
                        view = f"work[{offset}*m + {fixed}:{offset}*m + {fixed + width}]"
                        lines.add(f"terms_{identifier(work.task.target)} = {view}")
                        fixed += width
        for name, owner in self.schedule.same.items():
            lines.add(f"{identifier(name)} = {identifier(owner)}")
        self.per_example, self.fixed = offset, fixed

    def _made(self) -> list[str]:
        return [t for s in self.schedule.stages for t in ([s.target] if isinstance(s, Product) else s.targets)]

    # Products

    def _product(self, lines: Lines, product: Product) -> None:
        left = identifier(product.left.name) + (".T" if product.left.transposed else "")
        right = identifier(product.right.name) + (".T" if product.right.transposed else "")
        self.imports.add("product")
        lines.add(f"product({left}, {right}, {identifier(product.target)})  # {product.target}")

    # Passes

    def _group(self, lines: Lines, group: Group) -> None:
        state = Formulas(self.schedule, self.interface, self.constants, self.imports, lines)
        works = [w for s in group.segments for w in s.works]
        if group.sort is None:
            rows = [(identifier(work.task.target), state.text(work.body)) for work in works]
            for text in (*state.top, *(f"{name} = {text}" for name, text in rows)):
                lines.add(text)
            return
        for work in works:
            if work.over_rows:
                name = identifier(work.task.target)
                start = "0.0" if work.task.kind == "sum" else "-np.inf"
                lines.add(f"{name}[:] = F({start})" if work.task.indices else f"{name} = {start}")
        length = group.sort if group.sort.isdigit() else "m"
        hoisted = len(lines.rows)
        lines.add(f"for r in range({length}):")
        lines.depth += 1
        state.row_views = len(lines.rows)
        for segment in group.segments:
            self._segment(state, lines, segment)
        views = [f"{'    ' * lines.depth}{text}" for text in state.views]
        lines.rows[state.row_views : state.row_views] = views
        lines.depth -= 1
        lines.rows[hoisted:hoisted] = ["    " * lines.depth + text for text in state.top]

    def _segment(self, state: Formulas, lines: Lines, segment: Segment) -> None:
        if segment.level == "row":
            for work in segment.works:
                text = state.text(work.body)
                self._row_value(state, lines, work, text)
            return
        if segment.level == "pick":
            (work,) = segment.works
            self.imports.add("place_of_largest")
            tensor = work.body
            assert isinstance(tensor, Tensor)
            lines.add(f"{work.task.target} = place_of_largest({state.row(tensor.name)})")
            return
        state.prepare(w.body for w in segment.works)
        length = segment.sort if segment.sort.isdigit() else "m"
        sums = [w for w in segment.works if w.task.kind == "sum" and not w.over_rows]
        in_parts = bool(sums) and not (length.isdigit() and int(length) <= _AT_ONCE)
        names = [identifier(w.task.target) for w in sums]
        if in_parts:
            for name in names:
                lines.add(f"{name}_whole = 0.0")
            lines.add(f"for low in range(0, {length}, {_AT_ONCE}):")
            lines.depth += 1
            lines.add(f"high = min(low + {_AT_ONCE}, {length})")
            state.part = []
        for name in names:
            lines.add(f"{name}_part = {state.constant(0)}")
        start = len(lines.rows)
        lines.add("for c in range(high - low):" if in_parts else f"for c in range({length}):")
        lines.depth += 1
        state.inner = {}
        for work in segment.works:
            self._loop_value(state, lines, work)
        lines.depth -= 1
        state.inner = {}
        if state.part is not None:
            lines.rows[start:start] = ["    " * lines.depth + view for view in state.part]
            state.part = None
            for name in names:
                lines.add(f"{name}_whole += {name}_part")
            lines.depth -= 1
        for work in segment.works:
            if work.task.bound and not work.over_rows:
                name = identifier(work.task.target)
                place = name if work.task.target in self.schedule.local else f"{name}[r]"
                if work in sums:
                    lines.add(f"{place} = F({name}_whole)" if in_parts else f"{place} = {name}_part")
                else:
                    self.imports.add("largest")
                    lines.add(f"{place} = largest(terms_{name})")

    def _loop_value(self, state: Formulas, lines: Lines, work: Work) -> None:
        name = identifier(work.task.target)
        text = state.text(work.body)
        if work.task.kind == "assign":
            state.inner[work.target] = text
            if work.task.target not in self.schedule.local:
                state.store(work, text)
        elif work.over_rows:
            entry = state.entry(work.target)
            lines.add(f"{entry} += {text}" if work.task.kind == "sum" else f"{entry} = max({entry}, {text})")
        elif work.task.kind == "sum":
            self.imports.add("gather")
            lines.add(f"{name}_part = gather({name}_part, {text})")
        else:
            lines.add(f"terms_{name}[c] = {text}")

    def _row_value(self, state: Formulas, lines: Lines, work: Work, text: str) -> None:
        name = identifier(work.task.target)
        if work.over_rows:
            lines.add(f"{name} += {text}" if work.task.kind == "sum" else f"{name} = max({name}, {text})")
        elif work.task.target in self.schedule.local:
            lines.add(f"{name} = {text}")
        else:
            lines.add(f"{state.array(work.task.target)}[r] = {text}")


def work_size(schedule: Schedule, interface: Interface) -> tuple[int, int]:
    """How many numbers of memory a kernel needs: for each example, and besides."""
    writer = _Writer(schedule, interface)
    writer.views(Lines())
    return writer.per_example, writer.fixed
