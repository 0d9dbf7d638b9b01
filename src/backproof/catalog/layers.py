"""Layers as definitions in index notation: what each computes, as data; its gradients are derived, not stated.

An example, a row or a position is a row here: the index e runs over the m examples of a batch, t and s over positions.
A *parameter* is learnt, an *input* comes from the layer below, what is *given* (a mask, a number) has no gradient.
Convolutions read x at i + u: the shift is a given array S of zeros and ones, S_piu = 1 where p is the place that output
i reads at offset u. One definition so covers every stride, padding and dilation, and no
gradient needs a rule of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from backproof.language.program import Assumption

Role = Literal["input", "parameter", "given"]


@dataclass(frozen=True, slots=True)
class LayerForm:
    """One layout of a layer: the definition for one example and for a batch, and the same in matrix notation."""

    layout: str
    one_example: str
    batch: str
    matrices: str


@dataclass(frozen=True, slots=True)
class Operand:
    """What a layer takes: its name, the sizes of its axes, and whether it is learnt, computed below, or given."""

    name: str
    sorts: tuple[str, ...]
    role: Role = "input"
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer: what it takes, its equations in order, and which of them are its results.

    An equation reads `y_ei = …`: a name, its index letters, and a formula in operands and earlier names. `forms` are
    the same in other layouts. `limits` says what the definition leaves out.
    """

    name: str
    aliases: tuple[str, ...] = ()
    operands: tuple[Operand, ...]
    equations: tuple[str, ...]
    results: tuple[str, ...]
    assumptions: tuple[Assumption, ...] = ()
    forms: tuple[LayerForm, ...] = ()
    limits: str = ""
    source: str

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of what is learnt."""
        return tuple(o.name for o in self.operands if o.role == "parameter")

    @property
    def differentiated(self) -> tuple[str, ...]:
        """The names of all that has a gradient: inputs and parameters."""
        return tuple(o.name for o in self.operands if o.role != "given")


def _x(*sorts: str) -> Operand:
    return Operand("x", sorts or ("m", "n"), "input", "the layer below")


def _parameter(name: str, *sorts: str) -> Operand:
    return Operand(name, sorts, "parameter")


_EPS: Final = Operand("eps", (), "given", "a small positive number")
_POSITIVE_EPS: Final = Assumption("eps", "positive")

_PLAIN: Final = (
    Layer(
        name="dense",
        aliases=("linear", "fully-connected", "affine"),
        operands=(_x(), _parameter("W", "n", "h"), _parameter("b", "h")),
        equations=("z_ei = sum_j x_ej*W_ji + b_i",),
        results=("z",),
        forms=(
            LayerForm("columns", "z_i = sum_j W_ij*x_j + b_i", "Z_ie = sum_j W_ij*X_je + b_i", "Z = W X + b"),
            LayerForm("rows", "z_i = sum_j x_j*W_ji + b_i", "Z_ei = sum_j X_ej*W_ji + b_i", "Z = X W + b"),
            LayerForm("rows-out-in", "z_i = sum_j x_j*W_ij + b_i", "Z_ei = sum_j X_ej*W_ij + b_i", "Z = X W^T + b"),
        ),
        source="Goodfellow, Bengio & Courville 2016, Deep learning, section 6.5.4",
    ),
    Layer(
        name="residual",
        aliases=("skip-connection", "residual-connection"),
        operands=(_x(), _parameter("W", "n", "n")),
        equations=("y_ei = x_ei + sum_j f(x_ej)*W_ji",),
        results=("y",),
        limits="the branch is f, any function of one number, and a matrix",
        source="He, Zhang, Ren & Sun 2016, Identity mappings in deep residual networks, equation 1",
    ),
    Layer(
        name="dropout",
        operands=(
            _x(),
            Operand("d", ("m", "n"), "given", "the mask of the forward pass, 0 or 1"),
            Operand("p", (), "given", "the share that is dropped"),
        ),
        equations=("y_ei = d_ei*x_ei/(1 - p)",),
        results=("y",),
        assumptions=(Assumption("d", "binary"), Assumption("p", "in-unit-interval")),
        source="Srivastava et al. 2014, Dropout, JMLR 15, section 10 (inverted scaling)",
    ),
    Layer(
        name="embedding",
        aliases=("lookup-table",),
        operands=(
            Operand("x", ("m", "v"), "given", "one-hot rows: the word that each place holds"),
            _parameter("E", "v", "n"),
        ),
        equations=("y_ei = sum_w x_ew*E_wi",),
        results=("y",),
        assumptions=(Assumption("x", "binary"), Assumption("x", "unit-sum", axis=1)),
        source="Bengio, Ducharme, Vincent & Jauvin 2003, A neural probabilistic language model, section 2",
    ),
    Layer(
        name="softmax",
        operands=(Operand("z", ("m", "n"), "input", "logits"),),
        equations=("S_e = sum_j exp(z_ej)", "a_ei = exp(z_ei)/S_e"),
        results=("a",),
        source="Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
    ),
)

_NORMALISATIONS: Final = (
    Layer(
        name="layer-norm",
        aliases=("layernorm", "layer-normalization", "layer-normalisation"),
        operands=(_x(), _parameter("g", "n"), _parameter("b", "n"), _EPS),
        equations=(
            "mu_e = sum_i x_ei/n",
            "v_e = sum_i (x_ei - mu_e)^2/n",
            "s_e = sqrt(v_e + eps)",
            "h_ei = (x_ei - mu_e)/s_e",
            "y_ei = g_i*h_ei + b_i",
        ),
        results=("y",),
        assumptions=(_POSITIVE_EPS,),
        source="Ba, Kiros & Hinton 2016, Layer normalization, equation 3",
    ),
    Layer(
        name="rms-norm",
        aliases=("rmsnorm", "rms-normalization", "rms-normalisation"),
        operands=(_x(), _parameter("g", "n"), _EPS),
        equations=("v_e = sum_i x_ei^2/n", "r_e = sqrt(v_e + eps)", "y_ei = g_i*x_ei/r_e"),
        results=("y",),
        assumptions=(_POSITIVE_EPS,),
        source="Zhang & Sennrich 2019, Root mean square layer normalization, equation 4",
    ),
    Layer(
        name="batch-norm",
        aliases=("batchnorm", "batch-normalization", "batch-normalisation"),
        operands=(_x(), _parameter("g", "n"), _parameter("b", "n"), _EPS),
        equations=(
            "mu_i = sum_e x_ei/m",
            "v_i = sum_e (x_ei - mu_i)^2/m",
            "s_i = sqrt(v_i + eps)",
            "h_ei = (x_ei - mu_i)/s_i",
            "y_ei = g_i*h_ei + b_i",
        ),
        results=("y",),
        assumptions=(_POSITIVE_EPS,),
        limits="in training: the statistics are those of the batch",
        source="Ioffe & Szegedy 2015, Batch normalization, algorithm 1",
    ),
    Layer(
        name="group-norm",
        aliases=("groupnorm", "group-normalization", "group-normalisation"),
        operands=(_x("m", "q", "c", "r"), _parameter("g", "q", "c"), _parameter("b", "q", "c"), _EPS),
        equations=(
            "mu_ea = sum_i sum_p x_eaip/(c*r)",
            "v_ea = sum_i sum_p (x_eaip - mu_ea)^2/(c*r)",
            "s_ea = sqrt(v_ea + eps)",
            "h_eaip = (x_eaip - mu_ea)/s_ea",
            "y_eaip = g_ai*h_eaip + b_ai",
        ),
        results=("y",),
        assumptions=(_POSITIVE_EPS,),
        limits="channels are written as q groups of c; c = 1 is instance normalisation",
        source="Wu & He 2018, Group normalization, equations 1 to 7",
    ),
)

_CONVOLUTIONS: Final = (
    Layer(
        name="conv-1d",
        aliases=("conv1d", "convolution", "convolution-1d"),
        operands=(
            _x("m", "c", "r"),
            _parameter("w", "h", "c", "k"),
            _parameter("b", "h"),
            Operand("S", ("r", "q", "k"), "given", "1 where p = stride·i + dilation·u − padding, else 0"),
        ),
        equations=("y_eoi = sum_a sum_u sum_p w_oau*S_piu*x_eap + b_o",),
        results=("y",),
        assumptions=(Assumption("S", "binary"),),
        limits="the shift is an array of zeros and ones; proofs use no more of it than that",
        source="Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, section 2",
    ),
    Layer(
        name="conv-2d",
        aliases=("conv2d", "convolution-2d"),
        operands=(
            _x("m", "c", "r", "s"),
            _parameter("w", "h", "c", "k", "l"),
            _parameter("b", "h"),
            Operand("S", ("r", "q", "k"), "given", "1 where row p is read by row i at offset u, else 0"),
            Operand("T", ("s", "t", "l"), "given", "1 where column d is read by column j at offset v, else 0"),
        ),
        equations=("y_eoij = sum_a sum_u sum_v sum_p sum_d w_oauv*S_piu*T_djv*x_eapd + b_o",),
        results=("y",),
        assumptions=(Assumption("S", "binary"), Assumption("T", "binary")),
        limits="the shifts are arrays of zeros and ones; proofs use no more of them than that",
        source="Dumoulin & Visin 2016, A guide to convolution arithmetic for deep learning, section 2",
    ),
)

_ATTENTION: Final = (
    Layer(
        name="attention",
        aliases=("scaled-dot-product-attention", "self-attention"),
        operands=(Operand("Q", ("r", "d")), Operand("K", ("c", "d")), Operand("V", ("c", "h"))),
        equations=(
            "S_ts = sum_i Q_ti*K_si/sqrt(d)",
            "D_t = sum_s exp(S_ts)",
            "A_ts = exp(S_ts)/D_t",
            "O_to = sum_s A_ts*V_so",
        ),
        results=("O",),
        source="Vaswani et al. 2017, Attention is all you need, equation 1",
    ),
    Layer(
        name="masked-attention",
        aliases=("causal-attention",),
        operands=(
            Operand("Q", ("r", "d")),
            Operand("K", ("c", "d")),
            Operand("V", ("c", "h")),
            Operand("M", ("r", "c"), "given", "1 where place t may look at place s, else 0"),
        ),
        equations=(
            "S_ts = sum_i Q_ti*K_si/sqrt(d)",
            "D_t = sum_s M_ts*exp(S_ts)",
            "A_ts = M_ts*exp(S_ts)/D_t",
            "O_to = sum_s A_ts*V_so",
        ),
        results=("O",),
        assumptions=(Assumption("M", "binary"),),
        source="Vaswani et al. 2017, Attention is all you need, section 3.2.3",
    ),
    Layer(
        name="multi-head-attention",
        aliases=("multihead-attention",),
        operands=(
            _x("r", "n"),
            _parameter("F", "n", "q", "d"),
            _parameter("G", "n", "q", "d"),
            _parameter("H", "n", "q", "d"),
            _parameter("W", "q", "d", "n"),
        ),
        equations=(
            "Q_tai = sum_j x_tj*F_jai",
            "K_tai = sum_j x_tj*G_jai",
            "V_tai = sum_j x_tj*H_jai",
            "S_ats = sum_i Q_tai*K_sai/sqrt(d)",
            "D_at = sum_s exp(S_ats)",
            "A_ats = exp(S_ats)/D_at",
            "O_tai = sum_s A_ats*V_sai",
            "y_to = sum_a sum_i O_tai*W_aio",
        ),
        results=("y",),
        source="Vaswani et al. 2017, Attention is all you need, section 3.2.2",
    ),
)


def _gate(name: str) -> str:
    return f"z{name}_ei = sum_j x_ej*W{name}_ji + sum_j s_ej*U{name}_ji + b{name}_i"


def _gates(names: str) -> tuple[Operand, ...]:
    return tuple(
        _parameter(letter + name, *sorts)
        for name in names
        for letter, sorts in (("W", ("n", "d")), ("U", ("d", "d")), ("b", ("d",)))
    )


_STATE: Final = Operand("s", ("m", "d"), "input", "the state before")

_RECURRENT: Final = (
    Layer(
        name="rnn",
        aliases=("rnn-cell", "elman"),
        operands=(_x(), _STATE, _parameter("W", "n", "d"), _parameter("U", "d", "d"), _parameter("b", "d")),
        equations=("z_ei = sum_j x_ej*W_ji + sum_j s_ej*U_ji + b_i", "h_ei = tanh(z_ei)"),
        results=("h",),
        limits="one step; a sequence is this step again with the state it gave",
        source="Elman 1990, Finding structure in time, Cognitive Science 14",
    ),
    Layer(
        name="lstm",
        aliases=("lstm-cell",),
        operands=(_x(), _STATE, Operand("q", ("m", "d"), "input", "the memory before"), *_gates("ufgo")),
        equations=(
            *(_gate(name) for name in "ufgo"),
            "u_ei = sigmoid(zu_ei)",
            "f_ei = sigmoid(zf_ei)",
            "g_ei = tanh(zg_ei)",
            "o_ei = sigmoid(zo_ei)",
            "c_ei = f_ei*q_ei + u_ei*g_ei",
            "h_ei = o_ei*tanh(c_ei)",
        ),
        results=("h", "c"),
        limits="one step; u is the input gate, f the forget gate, g the candidate, o the output gate",
        source="Gers, Schmidhuber & Cummins 2000, Learning to forget, Neural Computation 12",
    ),
    Layer(
        name="gru",
        aliases=("gru-cell",),
        operands=(_x(), _STATE, *_gates("rug"), _parameter("q", "d")),
        equations=(
            _gate("r"),
            _gate("u"),
            "r_ei = sigmoid(zr_ei)",
            "u_ei = sigmoid(zu_ei)",
            "k_ei = sum_j s_ej*Ug_ji + q_i",
            "zg_ei = sum_j x_ej*Wg_ji + bg_i + r_ei*k_ei",
            "g_ei = tanh(zg_ei)",
            "h_ei = (1 - u_ei)*g_ei + u_ei*s_ei",
        ),
        results=("h",),
        limits="one step; r is the reset gate, applied after the product with the state, and u the update gate",
        source="Cho et al. 2014, Learning phrase representations, with the reset gate of cuDNN and PyTorch",
    ),
)

LAYERS: Final = (*_PLAIN, *_NORMALISATIONS, *_CONVOLUTIONS, *_ATTENTION, *_RECURRENT)
