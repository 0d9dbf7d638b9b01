"""Choices: reading a text that can be read in several ways, by reading it again with other choices.

A reading asks `pick` wherever it could go on in several ways. The search repeats the reading with every combination of
answers, the likeliest first. One question (one key) has one answer within a reading: a letter does not change its
meaning in the middle of a formula.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from backproof.errors import BackproofError

_Option = TypeVar("_Option")
_Result = TypeVar("_Result")


class Choices:
    """The answers of one reading: given ones first, then the likeliest option of each new question."""

    def __init__(self, given: tuple[int, ...] = ()) -> None:
        self._given = given
        self._answers: dict[Hashable, int] = {}
        self.asked: list[tuple[int, ...]] = []
        self.cost = 0

    @property
    def likeliest(self) -> bool:
        """Whether this is the first reading, with the likeliest answer to every question."""
        return not self._given

    def pick(self, key: Hashable, options: Sequence[tuple[int, _Option]]) -> _Option:
        """One of the options, each given with its cost; what counts is how much it costs beyond the cheapest one."""
        least = min(cost for cost, _ in options)
        ranked = sorted(((cost - least, option) for cost, option in options), key=lambda ranked: ranked[0])
        if len(ranked) == 1:
            return ranked[0][1]
        if key not in self._answers:
            position = len(self.asked)
            answer = self._given[position] if position < len(self._given) else 0
            self._answers[key] = answer
            self.asked.append(tuple(cost for cost, _ in ranked))
            self.cost += ranked[answer][0]
        return ranked[min(self._answers[key], len(ranked) - 1)][1]


def search(read: Callable[[Choices], _Result], attempts: int) -> Iterator[tuple[int, _Result | BackproofError]]:
    """The outcomes of a reading under all combinations of choices, likeliest first, at most `attempts` of them.

    Yields the cost of the choices with the result, or with the error that stopped it.
    """
    queue: list[tuple[int, int, tuple[int, ...]]] = [(0, 0, ())]
    order = 0
    while queue and attempts > 0:
        attempts -= 1
        _, _, given = heapq.heappop(queue)
        choices = Choices(given)
        try:
            outcome: _Result | BackproofError = read(choices)
        except BackproofError as error:
            outcome = error
        answers = [*given, *([0] * (len(choices.asked) - len(given)))]
        for position in range(len(given), len(choices.asked)):
            costs = choices.asked[position]
            before = sum(choices.asked[k][answers[k]] for k in range(position))
            for answer in range(1, len(costs)):
                order += 1
                heapq.heappush(queue, (before + costs[answer], order, (*answers[:position], answer)))
        yield choices.cost, outcome
