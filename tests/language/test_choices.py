from __future__ import annotations

from backproof.errors import FormulaError
from backproof.language.choices import Choices, search


def two_questions(choices: Choices) -> str:
    first = choices.pick("first", [(0, "a"), (2, "b")])
    if first == "b":
        return first
    return first + choices.pick("second", [(3, "z"), (1, "x"), (2, "y")])


def test_every_combination_comes_out_once_with_the_likeliest_first() -> None:
    assert list(search(two_questions, 10)) == [(0, "ax"), (1, "ay"), (2, "b"), (2, "az")]


def test_the_number_of_attempts_is_bounded() -> None:
    assert [outcome for _, outcome in search(two_questions, 2)] == ["ax", "ay"]


def test_one_question_has_one_answer_within_a_reading() -> None:
    def same(choices: Choices) -> tuple[str, str]:
        return choices.pick("q", [(0, "a"), (1, "b")]), choices.pick("q", [(0, "a"), (1, "b")])

    assert [outcome for _, outcome in search(same, 10)] == [("a", "a"), ("b", "b")]


def test_a_question_with_one_option_costs_nothing() -> None:
    def forced(choices: Choices) -> int:
        return choices.pick("q", [(7, 1)])

    assert list(search(forced, 10)) == [(0, 1)]


def test_an_error_is_an_outcome_and_the_search_goes_on() -> None:
    def fails_first(choices: Choices) -> str:
        if choices.pick("q", [(0, "bad"), (1, "good")]) == "bad":
            raise FormulaError("no")
        return "good"

    outcomes = [outcome for _, outcome in search(fails_first, 10)]
    assert isinstance(outcomes[0], FormulaError)
    assert outcomes[1:] == ["good"]
