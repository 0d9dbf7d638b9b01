"""Sources: a schedule as a readable Python module, compiled by numba, with the equations as comments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backproof.language.expression import (
    Tensor,
)
from backproof.run.formula_source import Formulas
from backproof.run.interface import Interface, Lines, equation_text, identifier, shape_text
from backproof.run.lowering import Product
from backproof.run.scheduling import Group, Schedule, Segment, Work

_ROWS: Final = ("largest", "place_of_largest", "total")


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
        head = [
            '"""' + "A kernel that backproof wrote. The equations it computes:\n",
            *(f"    {equation_text(d)}"
              for d in self.schedule.lowered.program.definitions if self._computed(d.name)),
            '"""',
            "",
            "import numpy as np",
            "from numba import njit",
            "",
            *(f"from backproof.run.compiled import {n if n in _ROWS else f'{n}{self.bits} as {n}'}"
              for n in sorted(self.imports)),
            *(["from backproof.run.compiled_updates import update"] if self.interface.gradient else []),
            "",
            f"F = np.{self.interface.precision}",
            *(f"{name} = F({value})" for value, name in self.constants.items()),
            "",
            "",
            '@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "nsz"})',
            f"def run({taken}):",
        ]  # fmt: skip
        return "\n".join([*head, *lines.rows, *(self._epoch() if self.interface.gradient else [])]) + "\n"

    def _epoch(self) -> list[str]:
        inputs = [identifier(name) for name in self.interface.inputs]
        return f"""

@njit(cache=True, nogil=True, error_model="numpy")
def epoch(theta, grad, work, {", ".join(inputs)}, order, {", ".join(f"batch_{n}" for n in inputs)}, losses, \
rule, first, second, settings, count):
    size = batch_{inputs[0]}.shape[0]
    for step in range(len(losses)):
        low = step*size
        high = min(low + size, len(order))
        for k in range(low, high):
{chr(10).join(f"            batch_{n}[k - low] = {n}[order[k]]" for n in inputs)}
        losses[step] = run(theta, grad, work, {", ".join(f"batch_{n}[:high - low]" for n in inputs)})
        if not np.isfinite(losses[step]):
            return step
        update(rule, theta, grad, first, second, settings, count + step + 1)
    return -1""".split("\n")

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
                    if segment.level == "loop" and work.task.bound and not work.over_rows:
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
        lines.add(f"np.dot({left}, {right}, {identifier(product.target)})  # {product.target}")

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
        lines.add(f"for c in range({segment.sort if segment.sort.isdigit() else 'm'}):")
        lines.depth += 1
        state.inner = {}
        for work in segment.works:
            name = identifier(work.task.target)
            text = state.text(work.body)
            if work.task.kind == "assign":
                state.inner[work.target] = text
                if work.task.target not in self.schedule.local:
                    state.store(work, text)
            elif work.over_rows:
                entry = state.entry(work.target)
                lines.add(f"{entry} += {text}" if work.task.kind == "sum" else f"{entry} = max({entry}, {text})")
            else:
                lines.add(f"terms_{name}[c] = {text}")
        lines.depth -= 1
        state.inner = {}
        for work in segment.works:
            if work.task.bound and not work.over_rows:
                name = identifier(work.task.target)
                place = name if work.task.target in self.schedule.local else f"{name}[r]"
                reduced = "total" if work.task.kind == "sum" else "largest"
                self.imports.add(reduced)
                lines.add(f"{place} = {reduced}(terms_{name})")

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
