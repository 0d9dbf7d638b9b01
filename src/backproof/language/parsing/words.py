"""Runs of letters: which are one name (yhat, softmax, dout), which a product (ab), which a differential (dW2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from backproof.language.letters import ACCENTS, GREEK

PREFIX_FUNCTIONS: Final[frozenset[str]] = frozenset(
    "exp log ln lg log2 log10 log1p expm1 sin cos tan cot sec csc sinh cosh tanh coth sech arcsin arccos arctan atan "
    "asin acos artanh erf erfc sqrt sgn sign det tr trace diag vec softmax sigmoid relu ReLU softplus logsumexp lse "
    "argmin argmax arg rank dim Var Cov var std abs".split()
)
"""Functions that people apply without parentheses: log p."""

ACTIVATIONS: Final[frozenset[str]] = frozenset(
    "sigmoid relu ReLU softplus tanh elu ELU selu SELU gelu GELU silu SiLU mish Mish swish leaky_relu leakyrelu".split()
)
"""Activations whose slopes are functions of their own in code: dsigmoid(z)."""

NAMES: Final[frozenset[str]] = (
    frozenset(
        "loss Loss cost Cost err error net out dout target targets label labels logit logits score scores prob "
        "probs output input hidden pred ypred true new old prev next max min mean avg sum prod ref reg data model "
        "key query value bias weight weights grad grads act preact pre post lr rate step batch size num len dim "
        "diag mask mult half scale shift gain momentum decay norm Norm attn attention head heads ctx concat cat "
        "emb pos neg tot total train test val obs est opt init final last first id Id eye ones zeros inf nan MSE "
        "CE BCE NLL KL LSE BN LN MLP RNN LSTM GRU CNN SGD Adam SSE MAE RMS RSS RMSE CrossEntropy relu ReLU elu ELU "
        "selu SELU gelu GELU silu SiLU mish Mish softmax Softmax sigmoid Sigmoid logistic softplus softsign tanh "
        "Tanh hardtanh leaky dropout identity linear where clip maximum minimum square reciprocal heaviside "
        "indicator dot matmul outer inner transpose reshape flatten vec rank det inv trace conv pool cov Cov var "
        "Var std mu nu xi pi phi psi chi eta rho tau eps ell price area age hyp aux src dst wrt".split()
    )
    | PREFIX_FUNCTIONS
)
"""Words that are one name where they stand alone."""

CONNECTIVES: Final[frozenset[str]] = frozenset(
    "if otherwise else for when where and or with since because then hence so thus therefore while unless given such "
    "that is are gives equals yields let as by from using note recall i.e. e.g. respectively resp. not because sonst "
    "falls wenn und für où si sinon et pour si en otro caso iff suppose assume".split()
)
"""Words that stand between formulas, not in them."""

TEXT_CONNECTIVES: Final[frozenset[str]] = frozenset(
    {"if", "otherwise", "else", "for", "when", "where", "and", "or", "with"}
)
"""Words that stand between formulas also without \\text around them."""

GREEK_NAMES: Final[dict[str, str]] = {**{name: name for name in GREEK}, "epsilon": "eps", "eps": "eps", "ell": "ell"}
MODULES: Final[frozenset[str]] = frozenset("np numpy torch jnp jax tf math nn F scipy special".split())
INDEX_LETTERS: Final[frozenset[str]] = frozenset("ijklmnpqrst")
FUNCTION_LETTERS: Final[frozenset[str]] = frozenset("f g h F G H sigma phi psi ell L J E C Phi Psi".split())
"""Letters that people call: f(x)² is a power of f(x), y(1 − y)² is not a power of y(1 − y)."""

LABEL_LETTERS: Final[frozenset[str]] = frozenset("lLitkTn")
"""Letters that name a layer, a sample or a step in flattened superscripts: a(L), z(l+1)."""

AFTER_A_FACTOR: Final = ("log", "ln", "exp", "tanh", "softmax", "sigmoid")
"""Functions that people write directly after a factor: ylog(a)."""

Kind = Literal["name", "differential"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a run of letters: a name with its accent, or the d of a differential, and its place in the run."""

    kind: Kind
    name: str
    start: int
    end: int
    accent: str | None = None


def accented(word: str) -> tuple[str, str] | None:
    """A word that is a letter with an accent: yhat is y with a hat.

    >>> accented("yhat")
    ('y', 'hat')
    """
    for accent in ACCENTS:
        stem = word.removesuffix(accent)
        if stem != word and (len(stem) == 1 or stem in GREEK_NAMES):
            return GREEK_NAMES.get(stem, stem), accent
    return None


def is_name(word: str, known: Collection[str] = ()) -> bool:
    """Whether a run of letters, without the digits at its end, is one name."""
    return len(word) == 1 or word in known or word in NAMES or word in GREEK_NAMES or accented(word) is not None


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The pieces of a run, and whether it could as well be read the other way."""

    pieces: tuple[Piece, ...]
    open_letters: bool = False
    open_differential: bool = False


def segment(
    run: str, *, latex: bool, known: Collection[str] = (), swap_letters: bool = False, keep_differential: bool = True
) -> Segmentation:
    """Cut a run of ASCII letters, with digits at its end, into names.

    In LaTeX a short unknown run is a product of letters, in plain text from three letters on it is a name;
    `swap_letters` takes the other choice. With `keep_differential` false, dW is the product d·W.
    """
    word = run.rstrip("0123456789")
    digits = run[len(word) :]
    size = len(run)
    if run in known:
        return Segmentation((Piece("name", run, 0, size),))
    if is_name(word, known):
        accent = accented(word) if word not in known and word not in NAMES else None
        if accent is not None and not digits:
            return Segmentation((Piece("name", accent[0], 0, size, accent[1]),))
        return Segmentation((Piece("name", GREEK_NAMES.get(word, word) + digits, 0, size),))
    if word[0] == "d" and (is_name(word[1:], known) or word[1].isupper()):
        rest = segment(run[1:], latex=latex, known=known, swap_letters=swap_letters)
        if keep_differential:
            moved = tuple(Piece(p.kind, p.name, p.start + 1, p.end + 1, p.accent) for p in rest.pieces)
            return Segmentation((Piece("differential", "d", 0, 1), *moved), rest.open_letters, open_differential=True)
        return Segmentation(
            _letters(run, word) if swap_letters else (Piece("name", run, 0, size),), open_differential=True
        )
    function = next(
        (f for f in AFTER_A_FACTOR if word.endswith(f) and 1 <= len(word) - len(f) <= 2 and not digits), None
    )
    if function is not None:
        factors = word[: len(word) - len(function)]
        return Segmentation((*_letters(factors, factors), Piece("name", function, len(factors), size)))
    split = len(word) <= (3 if latex else 2)
    if split != swap_letters:
        return Segmentation(_letters(run, word), open_letters=True)
    return Segmentation((Piece("name", run, 0, size),), open_letters=True)


def _letters(run: str, word: str) -> tuple[Piece, ...]:
    """Each letter a name; the digits belong to the last one."""
    last = len(word) - 1
    return tuple(
        Piece("name", run[k:] if k == last else run[k], k, len(run) if k == last else k + 1) for k in range(len(word))
    )
