from __future__ import annotations

import re
from collections import Counter

import pytest

from backproof import catalog
from backproof.errors import UnknownNameError


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("sigmoid", "sigmoid"),
        ("σ", "sigmoid"),
        ("\\sigma", "sigmoid"),
        ("logistic", "sigmoid"),
        ("\\operatorname{sigmoid}", "sigmoid"),
        ("Sigmoid", "sigmoid"),
        ("ReLU", "relu"),
        ("RELU", "relu"),
        ("leaky_relu", "leaky-relu"),
        ("Leaky ReLU", "leaky-relu"),
        ("LeakyReLU", "leaky-relu"),
        ("log_softmax", "log-softmax"),
        ("GELU", "gelu"),
        ("swish", "silu"),
        (" tanh ", "tanh"),
        ("\\mathrm{softmax}", "softmax"),
        ("linear", "identity"),
        ("φ", "phi"),
        ("f", "f"),
    ],
)
def test_an_activation_is_found_by_how_people_write_it(written: str, name: str) -> None:
    assert catalog.activation(written).name == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("bce", "bce"),
        ("BCE", "bce"),
        ("BCELoss", "bce"),
        ("binary cross-entropy", "bce"),
        ("binary_cross_entropy", "bce"),
        ("CrossEntropyLoss", "cross-entropy-with-logits"),
        ("cross entropy", "cross-entropy"),
        ("MSE", "mse"),
        ("l1", "mae"),
        ("ℓ", "ell"),
        ("\\ell", "ell"),
        ("KLDivLoss", "kl"),
    ],
)
def test_a_loss_is_found_by_how_people_write_it(written: str, name: str) -> None:
    assert catalog.loss(written).name == name


def test_the_entries_that_the_project_promises() -> None:
    activations = {a.name for a in catalog.activations()}
    assert activations >= set(
        re.split(
            r"\s+",
            "identity sigmoid tanh relu leaky-relu elu selu softplus softsign silu mish gelu gelu-tanh exp arctan "
            "hard-tanh softmax log-softmax f",
        )
    )
    losses = {entry.name for entry in catalog.losses()}
    assert losses >= set(
        re.split(
            r"\s+",
            "mse half-mse bce bce-with-logits cross-entropy cross-entropy-with-logits nll mae huber log-cosh hinge "
            "squared-hinge poisson gamma kl focal ell",
        )
    )
    assert {a.name for a in catalog.axioms()} == {"exp", "log", "sin", "cos", "atan", "erf", "step"}


def test_an_unknown_name_says_what_is_close() -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.activation("sigmod")
    assert "did you mean sigmoid" in str(caught.value)
    assert caught.value.got == "sigmod"
    with pytest.raises(UnknownNameError, match="no loss called 'cross-entrpy'") as caught:
        catalog.loss("cross-entrpy")
    assert "did you mean cross-entropy" in str(caught.value)
    with pytest.raises(UnknownNameError) as caught:
        catalog.activation("zzzzzz")
    assert "backproof catalog" in str(caught.value)


def test_a_megabyte_of_name_is_one_short_error() -> None:
    with pytest.raises(UnknownNameError) as caught:
        catalog.activation("relu" * 250_000)
    assert len(str(caught.value)) < 2_000


@pytest.mark.parametrize("kind", ["function", "activation", "loss", "layer"])
def test_every_name_and_alias_leads_to_its_entry(kind: str) -> None:
    entries = {
        "function": catalog.functions(),
        "activation": catalog.activations(),
        "loss": catalog.losses(),
        "layer": catalog.layers(),
    }[kind]
    for entry in entries:
        for written in (entry.name, *entry.aliases):
            assert catalog.find(kind, written).name == entry.name, written  # type: ignore[arg-type]


def test_no_two_entries_of_a_kind_share_a_spelling() -> None:
    for entries in (catalog.functions(), catalog.activations(), catalog.losses(), catalog.layers()):
        written = Counter(w for entry in entries for w in {entry.name, *entry.aliases})
        assert [w for w, count in written.items() if count > 1] == []


def test_a_name_means_one_function_wherever_it_is_applied() -> None:
    """`exp` and `sin` are axioms and activations: the activation's text must be the function itself."""
    functions = {entry.name for entry in catalog.functions()}
    both = [a for a in catalog.activations() if a.name in functions]
    assert {a.name: a.definition for a in both} == {"exp": "exp(u)", "step": "[u > 0]", "sin": "sin(u)"}
    assert not functions & {entry.name for entry in catalog.losses()}
    assert not {a.name for a in catalog.activations()} & {entry.name for entry in catalog.losses()}


def test_every_entry_has_a_source_and_a_symbol() -> None:
    for entry in (*catalog.functions(), *catalog.activations(), *catalog.losses()):
        assert entry.source
        assert entry.symbol
        assert bool(entry.definition) != (entry.abstract or isinstance(entry, catalog.Axiom))


def test_names_are_words_joined_by_hyphens() -> None:
    for entry in (*catalog.functions(), *catalog.activations(), *catalog.losses()):
        assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9]*(-[a-z0-9]+)*", entry.name)


def test_pairs_name_activations_and_predictions_agree() -> None:
    for entry in catalog.losses():
        for name in entry.pairs_with:
            outputs = catalog.activation(name).range
            wanted = entry.prediction
            assert outputs == wanted or wanted in ("real", "logit"), (entry.name, name)


def test_functions_and_axioms() -> None:
    assert catalog.function("sigmoid") is catalog.activation("sigmoid")
    assert catalog.function("bce") is catalog.loss("bce")
    assert catalog.function("f") is None
    assert catalog.function("softmax") is None
    assert catalog.function("nothing") is None
    assert catalog.is_axiom("exp")
    assert not catalog.is_axiom("sigmoid")
    assert catalog.spelled()["\\sigma"] is catalog.activation("sigmoid")


@pytest.mark.parametrize(("written", "name"), [("λ", "lambda"), ("\\lambda", "lambda"), (" W ", "W"), ("σ", "sigma")])
def test_plain_names(written: str, name: str) -> None:
    assert catalog.plain_name(written) == name
