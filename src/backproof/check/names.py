"""What names mean in a claim about a given network: every spelling that people use for its tensors."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from backproof import catalog
from backproof.calculus.network import Network
from backproof.calculus.sweep import adjoint_name
from backproof.calculus.unfolding import derivative
from backproof.language.expression import Apply, Expr, Tensor, apply
from backproof.language.program import Program
from backproof.language.scope import LOSS_LETTERS, FunctionMeaning, Scope
from backproof.language.walks import rewrite
from backproof.proof.derivation import with_adjoints

OUTPUTS: Final = (
    "a",
    "yhat",
    "y_hat",
    "hat y",
    "haty",
    "p",
    "h",
    "y_pred",
    "ypred",
    "output",
    "outputs",
    "out",
    "pred",
    "preds",
    "prediction",
    "predictions",
    "o",
    "prob",
    "probs",
    "A",
    "Yhat",
)
LOGITS: Final = ("z", "logits", "o", "net", "Z", "logit", "s")
TARGETS: Final = ("y", "t", "target", "targets", "Y", "T", "label", "labels", "y_true", "truth", "onehot", "one_hot")
WEIGHTS: Final = ("W", "w", "Theta", "theta", "weight", "weights")
BIASES: Final = ("b", "bias")
GENERIC_ACTIVATIONS: Final = ("f", "g", "phi", "h", "act", "activation")
EXAMPLES: Final = ("m", "N", "B", "n", "batch", "batch_size")

DOUT: Final = "dout"
DHIDDEN: Final = "dhidden"
"""What comes from above: the gradient by the logits, or by the outputs, of the last layer or of the only hidden one."""

LAYER_ACTIVATION: Final = "activation of the layer"


@lru_cache(maxsize=64)
def program_of(network: Network) -> Program:
    """The network's program followed by its adjoints."""
    return with_adjoints(network)


@lru_cache(maxsize=64)
def scope_of(network: Network) -> Scope:
    """The scope of a claim: the network's program with its adjoints, under all usual names."""
    program = program_of(network)
    aliases: dict[str, list[str]] = {}

    def add(key: str, name: str) -> None:
        if name in known and name not in aliases.setdefault(key, []):
            aliases[key].append(name)

    known = set(program.names)
    big = network.batch

    def written(letter: str, label: str) -> str:
        base = letter.upper() if big and letter in "azxy" else letter
        return f"{base}({label})" if label else base

    labels = [label for section in network.sections for label in section.labels]
    if network.symbolic_depth:
        labels.append("l+1")
    last = network.last
    for letter, spellings in (("a", OUTPUTS), ("z", LOGITS), ("W", WEIGHTS), ("b", BIASES)):
        for label in labels:
            for key in spellings:
                add(f"{key}({label})" if label else key, written(letter, label))
        for key in spellings:
            add(f"{key}(L)", written(letter, last))
            if network.depth and not network.symbolic_depth:
                add(f"{key}(L-1)", written(letter, str(network.depth - 1)) if network.depth > 1 else written("x", ""))
                add(f"{key}(l)", written(letter, last))
                if letter in "az":
                    add(f"{key}({network.depth + 1})", written(letter, last))
    for key in OUTPUTS:
        add(key, written("a", last))
    for key in LOGITS:
        add(key, written("z", last))
    for key in TARGETS:
        add(key, written("y", ""))
    for letter, spellings in (("W", WEIGHTS), ("b", BIASES)):
        for key in spellings:
            add(key, written(letter, last))
    for key in ("a(0)", "A(0)", "h(0)", "x", "X", "input"):
        add(key, written("x", ""))
    for key in ("a(l-1)", "A(l-1)", "h(l-1)", "x(l)"):
        add(key, written("a", "l-1"))
    for key in ("a(L-1)", "A(L-1)", "h(L-1)"):
        add(key, written("a", "L-1"))
    gradients = {n: adjoint_name("J", n) for n in known if adjoint_name("J", n) in known}
    for name, adjoint in gradients.items():
        if name[0] in "zZ":
            label = name[1:]
            for key in ("delta", "Delta", "err", "error", "grad", "gradient"):
                aliases.setdefault(f"{key}{label}", []).append(adjoint)
                if label == f"({last})" or not label:
                    aliases.setdefault(key, []).append(adjoint)
                    aliases.setdefault(f"{key}(L)", []).append(adjoint)
                    if label:
                        aliases.setdefault(f"{key}({network.depth + 1})", []).append(adjoint)
    single = not network.symbolic_depth
    upstream = [(DOUT, last), (DHIDDEN, "1")] if network.depth == 2 and single else [(DOUT, last)]
    for key, label in upstream:
        aliases[key] = [gradients[n] for n in (written("z", label), written("a", label)) if n in gradients]
    if network.depth == 2 and single:
        for key in ("hidden", "hid"):
            add(key, written("a", "1"))
    batch = _batch_sort(network)
    sizes = {key: batch for key in EXAMPLES if batch and key not in _axis_sorts(program, batch)}
    return Scope(
        program,
        aliases={k: tuple(dict.fromkeys(v)) for k, v in aliases.items() if v},
        functions=_functions(network),
        gradients=gradients,
        losses=LOSS_LETTERS | {"ell"},
        differentiate=_differentiate,
        sizes=sizes,
        batch=batch,
    )


def _batch_sort(network: Network) -> str | None:
    if not network.batch:
        return None
    return network.program.sorts("Y")[1 if network.layout == "columns" else 0]


def _axis_sorts(program: Program, batch: str) -> set[str]:
    return {s for name in program.inputs for s in program.inputs[name]} - {batch}


@lru_cache(maxsize=1)
def catalogue_functions() -> dict[str, FunctionMeaning]:
    """Every written name of a function of the catalogue."""
    meanings = {written: _meaning(entry) for written, entry in catalog.spelled().items()}
    for entry in catalog.activations():
        if not entry.elementwise:
            for written in (entry.name, *entry.aliases):
                meanings.setdefault(written, _meaning(entry))
    plain = {written.lstrip("\\"): meaning for written, meaning in meanings.items()}
    # A formula can hold leaky_relu, but not leaky-relu, which is a difference.
    return {written.replace("-", "_"): meaning for written, meaning in plain.items()} | plain


@lru_cache(maxsize=256)
def _meaning(entry: catalog.Entry) -> FunctionMeaning:
    if entry.elementwise:
        return FunctionMeaning(entry.name, arity=len(entry.parameters))
    definition = catalog.vector_definition(entry)
    return FunctionMeaning(entry.name, "vector", len(entry.parameters), definition, entry.parameters)


def _functions(network: Network) -> dict[str, FunctionMeaning]:
    own = dict(catalogue_functions())
    for key in GENERIC_ACTIVATIONS:
        own[key] = FunctionMeaning(LAYER_ACTIVATION)
    if catalog.activation(network.output).abstract:
        own[network.output] = FunctionMeaning(network.output)
    if network.sizes and catalog.activation(network.hidden).abstract:
        own[network.hidden] = FunctionMeaning(network.hidden)
    if catalog.loss(network.loss).abstract:
        own[network.loss] = FunctionMeaning(network.loss, arity=2)
    return own


def _differentiate(expr: Expr, entry: Tensor) -> Expr:
    return derivative(expr, entry.name, entry.indices)


def resolved(expr: Expr, network: Network) -> Expr:
    """The expression with `f` read as the activation of the layer whose quantities it is applied to."""

    def rule(node: Expr) -> Expr | None:
        if not isinstance(node, Apply) or node.name != LAYER_ACTIVATION:
            return None
        argument = node.args[0]
        name = network.output
        if isinstance(argument, Tensor) and "(" in argument.name and network.sizes:
            label = argument.name.partition("(")[2].rstrip(")")
            name = network.output if label == network.last else network.hidden
        return apply(name, argument, orders=node.orders)

    return rewrite(expr, rule)
