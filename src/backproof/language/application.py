"""Application: the meaning of f(…), where f may be a function, a layer's letter, the loss, or a factor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from backproof.errors import FormulaError, LimitError, UnknownNameError
from backproof.language.expression import Apply, Expr, Tensor, apply, postorder
from backproof.language.matrix_functions import BUILTINS, check_count, each, read_builtin
from backproof.language.notation import (
    Bracketed,
    Call,
    Derivative,
    Negative,
    Notation,
    Number,
    Power,
    Product,
    Symbol,
)
from backproof.language.powers import powered
from backproof.language.reading import Reader, Steps, bare, letter_of
from backproof.language.scope import FunctionMeaning, label_text, spellings
from backproof.language.symbols import meanings, written_name
from backproof.language.traversal import parts
from backproof.language.values import entry_of, realised
from backproof.language.vector_functions import of_vectors

_NEARBY: Final = 200
MAX_ORDER: Final = 8
_SLOPE_AFTER: Final = frozenset({"prime", "derivative", "deriv", "der", "grad", "gradient", "slope", "diff"})
_SLOPE_BEFORE: Final = ("d", "grad", "deriv", "derivative")
_NO_VALUE: Final = frozenset({"backward", "bwd", "jacobian", "inverse", "inv"})


def check_order(reader: Reader, node: Notation, order: int) -> None:
    """Raises LimitError for a derivative of an order that nobody works out by hand."""
    if order > MAX_ORDER:
        raise LimitError(
            "a derivative of this order is not worked out",
            place=reader.source.place(node),
            expected=f"an order of at most {MAX_ORDER}",
            got=str(order),
        )


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to read a call: `kind` is function, builtin, layer, loss or factor."""

    kind: str
    meaning: FunctionMeaning | None = None


def read_call(reader: Reader, node: Call) -> Steps:
    """A function applied to arguments, or what only looks like it."""
    check_order(reader, node, node.primes)
    if node.power is not None and node.function == Symbol("e") and len(node.arguments) == 1 and not node.primes:
        # e^{-1}(a + b) is a product, as e is no function.
        result = yield Product("", (Power(node.function, node.power), Bracketed(node.arguments[0])), span=node.span)
        return result
    if node.power is not None:
        _refuse_inverse(reader, node)
    function = bare(node.function)
    if isinstance(function, Derivative):
        result = yield from _derivative_call(node, function)
        return result
    if not isinstance(function, Symbol):
        result = yield from _factor(reader, node)
        return result
    named = _named_slope(reader, function)
    if named is not None and not node.primes:
        result = yield replace(node, function=named, primes=1)
        _refuse_outputs(reader, node, result.expr)
        return result
    way = _way(reader, node, function)
    match way.kind:
        case "layer" | "loss" | "factor":
            result = yield from (_layer if way.kind == "layer" else _loss if way.kind == "loss" else _factor)(
                reader, node
            )
        case "builtin":
            result = yield from read_builtin(reader, node, _plain_name(function))
        case _ if way.meaning is not None:
            result = yield from _function(reader, node, function, way.meaning)
        case _:
            raise TypeError(f"not a way to read a call: {way}")
    if node.power is not None and way.kind in ("builtin", "function"):
        exponent = yield node.power
        exprs, shape = reader.elementwise((result, exponent), "the shapes do not fit in a power")
        return powered(reader, replace(shape, expr=exprs[0]), exponent)
    return result


def _named_slope(reader: Reader, function: Symbol) -> Symbol | None:
    """The function whose slope has a name of its own in code: sigmoid_prime, relu_grad, d_tanh, dsigmoid."""
    functions = reader.scope.functions
    words = [label_text(bare(s)) or "" for s in function.subscripts]
    if len(words) == 1 and words[0] in _SLOPE_AFTER | _NO_VALUE and _plain_name(function) in functions:
        if words[0] in _SLOPE_AFTER:
            return replace(function, subscripts=())
        raise UnknownNameError(
            f"no function here is called {written_name(function)}", place=reader.source.place(function)
        )
    if len(words) == 1 and function.name in _SLOPE_BEFORE and words[0] in functions:
        return replace(function, name=words[0], subscripts=())
    own = function.name in functions or meanings(reader, function, own=False)
    if not own and function.name.startswith("d") and function.name[1:] in functions and len(function.name) > 2:
        return replace(function, name=function.name[1:])
    return None


def _refuse_outputs(reader: Reader, node: Call, slope: Expr) -> None:
    """Code often has σ′ as a function of the output a: then sigmoid_prime(a) is a(1 − a), and not σ′(a)."""
    argument = slope.args[0] if isinstance(slope, Apply) else None
    if isinstance(argument, Tensor) and isinstance(slope, Apply):
        given = reader.scope.program.by_name.get(argument.name)
        if given is not None and isinstance(given.body, Apply):
            name = written_name(function) if isinstance(function := bare(node.function), Symbol) else "it"
            raise FormulaError(
                f"whether {name} takes the logits or the output is not known",
                place=reader.source.place(node),
                expected="the slope at the logits",
                got="an output",
                next="write f′(z), or the slope in terms of the output, such as a(1 − a)",
            )


def factors_of(reader: Reader, node: Call) -> tuple[Notation, Notation] | None:
    """What stands before the parentheses and what is in them, if the call is read as a product."""
    function = bare(node.function)
    if node.primes or node.power is not None or len(node.arguments) != 1 or isinstance(function, Derivative):
        return None
    if isinstance(function, Symbol) and _way(reader, node, function).kind != "factor":
        return None
    return node.function, node.arguments[0]


def _way(reader: Reader, node: Call, function: Symbol) -> _Way:
    options: list[tuple[int, _Way]] = []
    meaning = _meaning(reader, function)
    builtin = not function.subscripts and _plain_name(function) in BUILTINS
    if meaning is not None and builtin and meaning.arity != len(node.arguments):
        meaning = None
    own = meanings(reader, function)
    if meaning is not None:
        # h(1 − h) is a product, however h is used elsewhere.
        same_letter = bool(own) and any(_mentions(a, function.name) for a in node.arguments)
        options.append((2 if same_letter else 0, _Way("function", meaning)))
    elif builtin:
        options.append((0, _Way("builtin")))
    if not node.primes:
        if node.tight and len(node.arguments) == 1 and _layered(reader, node, function):
            options.append((0, _Way("layer")))
        elif reader.scope.loss(function.name) and all(isinstance(bare(a), Symbol) for a in node.arguments):
            options.append((0, _Way("loss")))
        elif len(node.arguments) == 1 and own:
            options.append((1, _Way("factor")))
    elif meaning is None and (slope := _activation(reader, function)) is not None:
        options.append((0, _Way("function", slope)))
    if not options:
        raise UnknownNameError(
            f"no function here is called {written_name(function)}",
            place=reader.source.place(function),
            next=reader.suggestion(function.name),
        )
    return reader.pick(
        ("call", written_name(function), tuple(label_text(a) for a in node.arguments), node.primes), options
    )


def _meaning(reader: Reader, function: Symbol) -> FunctionMeaning | None:
    """The function that a name with its layer or index means."""
    functions = reader.scope.functions
    label = label_text(function.label) if function.label is not None else None
    subs = [label_text(bare(s)) for s in function.subscripts]
    for base in (*spellings(function), _plain_name(function)):
        keys = (
            [f"{base}({label})"] if label is not None else [f"{base}({subs[0]})", f"{base}_{subs[0]}"] if subs else []
        )
        for key in (*keys, base):
            if key in functions:
                return functions[key]
    return None


def _plain_name(function: Symbol) -> str:
    """The name without the module that it was called from: np.exp is exp."""
    return function.name.rpartition(".")[2]


def _activation(reader: Reader, function: Symbol) -> FunctionMeaning | None:
    """The function by which a tensor is defined, for a'(z) where a = f(z)."""
    for _, use in meanings(reader, function, own=False):
        definition = reader.scope.program.by_name.get(getattr(use, "name", ""))
        if definition is not None:
            applied = [
                n for n in postorder(definition.body) if n is definition.body and not n.free - set(definition.indices)
            ]
            for body in applied:
                name = getattr(body, "name", None)
                if name is not None and len(body.children) == 1:
                    return FunctionMeaning(name)
    return None


def _mentions(root: Notation, name: str) -> bool:
    stack = [root]
    for _ in range(_NEARBY):
        if not stack:
            break
        node = stack.pop()
        if isinstance(node, Symbol) and node.name == name:
            return True
        stack.extend(parts(node))
    return False


def _refuse_inverse(reader: Reader, node: Call) -> None:
    power = bare(node.power) if node.power is not None else None
    if power in (Number(Fraction(-1)), Negative(Number(Fraction(1)))):
        raise FormulaError(
            "an inverse function cannot be read",
            place=reader.source.place(node),
            got="f^{-1}",
            next="write 1/f(z) for the reciprocal, or name the function's inverse",
        )


def _derivative_call(node: Call, function: Derivative) -> Steps:
    if isinstance(function.of, Symbol) and len(node.arguments) == 1:
        result = yield replace(node, function=function.of, primes=function.order)
        return result
    result = yield Product("", (function, *node.arguments), span=node.span)
    return result


def _factor(reader: Reader, node: Call) -> Steps:
    """a(1 − a): a letter before parentheses is a factor."""
    if node.primes or len(node.arguments) != 1:
        raise FormulaError(
            "this is not a function", place=reader.source.place(node.function), expected="a function before ( … , … )"
        )
    head = node.function if node.power is None else Power(node.function, node.power, span=node.function.span)
    result = yield Product("", (head, node.arguments[0]), span=node.span)
    return result


def _layered(reader: Reader, node: Call, function: Symbol) -> bool:
    label = label_text(node.arguments[0])
    if label is None or function.label is not None:
        return False
    keys = spellings(function)
    return bool(reader.scope.tensors(keys, label) or reader.scope.only_layer(keys, label))


def _layer(reader: Reader, node: Call) -> Steps:
    """a(L), W(l+1): a letter with a layer of the program in parentheses."""
    function = bare(node.function)
    label = label_text(node.arguments[0])
    if not isinstance(function, Symbol) or label is None:
        raise TypeError("a layer call has a symbol and a label")
    options = meanings(reader, replace(function, label=node.arguments[0]), own=False)
    layer = realised(reader, reader.pick(("layer", written_name(function), label), options))
    if node.power is not None:
        exponent = yield node.power
        return powered(reader, layer, exponent)
    return layer


def _loss(_reader: Reader, node: Call) -> Steps:
    """J(θ): the loss with what it depends on."""
    result = yield bare(node.function)
    return result


def _function(reader: Reader, node: Call, function: Symbol, meaning: FunctionMeaning) -> Steps:
    written = node.arguments
    if not written and node.primes:
        # A bare f′ is taken at the z of its layer.
        reader.note(f"{function.name}′ without an argument is read at z")
        written = (Symbol("z", subscripts=function.subscripts, label=function.label, span=node.span),)
    check_count(written, meaning.arity)
    arguments = yield from each(written)
    if meaning.kind == "vector":
        if node.primes:
            raise FormulaError(
                f"{function.name} takes a vector: its slope is a matrix, not {function.name}′",
                next="write the Jacobian ∂a_i/∂z_j",
            )
        result = of_vectors(reader, meaning, arguments)
        index = [s for s in function.subscripts if letter_of(s) is not None]
        return entry_of(reader, result, index, node) if index and result.is_vector else result
    exprs, shape = reader.elementwise(arguments, "the shapes of the arguments do not fit")
    orders = [node.primes, *([0] * (len(exprs) - 1))]
    numbered = _numbered_argument(function, len(exprs))
    if numbered is not None:
        reader.note(f"{written_name(function)} is the derivative of {function.name} by its argument {numbered}")
        orders[numbered - 1] += 1
    return replace(shape, expr=apply(meaning.name, *exprs, orders=tuple(orders)))


def _numbered_argument(function: Symbol, count: int) -> int | None:
    """The argument by which ℓ₁(a, y) is differentiated; a function of one argument is only numbered."""
    if count < 2 or len(function.subscripts) != 1:
        return None
    number = bare(function.subscripts[0])
    if not isinstance(number, Number) or number.value.denominator != 1 or not 1 <= number.value <= count:
        return None
    return int(number.value)
