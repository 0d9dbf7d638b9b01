"""`backproof check`, from the command line to the exit code."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import pytest

from backproof.cli import main

CROSSED = ("(a - y) * f'(z)", "--output", "sigmoid", "--loss", "bce")


def checked(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert main(["check", *arguments]) == code
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_right_formula(capsys: pytest.CaptureFixture[str]) -> None:
    shown = checked(capsys, 0, "a - y", "--output", "sigmoid", "--loss", "bce")
    assert "read as  δ = a − y" in shown
    assert "✓ proved" in shown


def test_a_wrong_formula_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    shown = checked(capsys, 1, *CROSSED)
    for words in (
        "✗ refuted",
        "correct  δ = a − y",
        "yours ÷ correct = a(1 − a)",
        "extra-slope",
        "sigmoid with half-mse",
    ):
        assert words in shown


def test_the_counter_example_holds(capsys: pytest.CaptureFixture[str]) -> None:
    (claim,) = json.loads(checked(capsys, 1, *CROSSED, "--json"))["claims"]
    witness = claim["witness"]
    z, y = (float(Fraction(witness["inputs"][name][witness["index"]["i"] - 1])) for name in "zy")
    a = 1 / (1 + math.exp(-z))
    assert float(witness["left"]["value"]) == pytest.approx(a - y)
    assert float(witness["right"]["value"]) == pytest.approx((a - y) * a * (1 - a))
    shown = checked(capsys, 1, *CROSSED)
    assert f"yours {(a - y) * a * (1 - a):.6g}, correct {a - y:.6g}" in shown


def test_an_equation_that_is_no_gradient_has_two_sides(capsys: pytest.CaptureFixture[str]) -> None:
    shown = checked(capsys, 1, "a = z", "--output", "sigmoid", "--loss", "bce")
    assert "left side 0.5, right side 0" in shown or "left side 0.731059, right side 1" in shown


def test_a_condition_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    shown = checked(capsys, 0, "p - y", "--output", "softmax", "--loss", "cross-entropy")
    assert "sum(y) = 1" in shown


@pytest.mark.parametrize(
    ("claims", "code"),
    [(("a - y",), 0), (("a - y", "y - a"), 1), (("a - y", "a -"), 3), (("y - a", "a -"), 1), (("nonsense",), 3)],
)
def test_the_exit_code_is_the_worst_of_all_claims(
    claims: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(capsys, code, *claims, "--json")


def test_json_keeps_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(checked(capsys, 1, *CROSSED, "a - y", "a - (", "--json"))
    assert set(data) == {"claims", "summary"}
    assert data["summary"] == {"proved": 1, "refuted": 1, "unknown": 0, "unread": 1}
    keys = "claim where read_as verdict conditions correct mistakes would_be_right_for witness because"
    assert all(list(claim) == keys.split() for claim in data["claims"])
    wrong, right, unread = data["claims"]
    assert wrong["claim"] == CROSSED[0]
    assert wrong["where"] is None
    assert wrong["mistakes"][0]["name"] == "extra-slope"
    assert set(wrong["mistakes"][0]) == {"name", "detail", "says"}
    assert set(wrong["correct"]) == {"text", "latex"}
    assert wrong["witness"]["inputs"]
    assert right["witness"] is None
    assert unread["because"]


def test_a_formula_that_starts_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(checked(capsys, 0, "-(y-a)", "--json"))
    assert data["claims"][0]["claim"] == "-(y-a)"


HOSTILE = {
    "nested": "(" * 100_000 + "a" + ")" * 100_000,
    "tower": "9^9^9^9",
    "long": "a + " * 60_000 + "y",
    "zero": "1/0",
    "hidden zero": "a/(y-y)",
    "braces": "\\frac{a}{",
    "control": "a\x00\x1b[31my",
    "letter": "𝔞",
}


@pytest.mark.parametrize("claim", HOSTILE.values(), ids=HOSTILE)
def test_hostile_claims_are_answered_in_time(claim: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", claim])
    out, err = capsys.readouterr()
    assert code in (1, 2, 3)
    assert "internal error" not in err
    assert "Traceback" not in out + err
    assert len(out) + len(err) < 20_000


def test_a_megabyte_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "a" * 1_000_000]) == 2
    assert "at most 256 kB" in capsys.readouterr().err


def test_a_derivative_that_is_none_of_the_network_stands_for_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", r"d/dx x^2 = 2x", r"\frac{\partial}{\partial u} u^3 v = 3 u^2 v"]) == 0
    assert capsys.readouterr().out.count("read without the network") == 2
    assert main(["check", "d/dx x^2 = 4x"]) == 1
    out = capsys.readouterr().out
    assert "a factor 2 too much" in out
    assert "= 2x" in out


def test_a_claim_about_numbers_alone_is_refuted_without_a_point(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "1 + 1 = 3"]) == 1
    assert "left side 2, right side 3" in capsys.readouterr().out
    assert main(["check", "d/dq q = 3"]) == 1
    assert "left side 1, right side 3" in capsys.readouterr().out


def test_unknown_names_are_no_claim_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "foo = bar"]) == 3
    assert "nothing here is called foo" in capsys.readouterr().out
