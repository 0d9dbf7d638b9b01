"""The LaTeX commands that formulas are written with, as tables: what each one stands for, or that it only decorates."""

from __future__ import annotations

from typing import Final

from backproof.language.letters import GREEK

LETTERS: Final[dict[str, str]] = {
    **{name: name for name in GREEK},
    **{f"var{name}": name for name in ("theta", "phi", "rho", "sigma", "pi", "kappa")},
    **{f"var{name}": name for name in ("Gamma", "Delta", "Theta", "Lambda", "Sigma", "Phi", "Psi", "Omega")},
    "epsilon": "eps",
    "varepsilon": "eps",
    "ell": "ell",
    "hbar": "hbar",
    "imath": "i",
    "jmath": "j",
    "infty": "inf",
    "top": "T",
    "intercal": "T",
    "ldots": "…",
    "cdots": "…",
    "dots": "…",
    "dotsc": "…",
    "dotsb": "…",
    "vdots": "…",
    "ddots": "…",
    "mathellipsis": "…",
    "R": "ℝ",
    "N": "ℕ",
    "emptyset": "∅",
}
"""Commands that are a name."""

FUNCTIONS: Final[frozenset[str]] = frozenset(
    "exp log ln lg sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan det dim ker arg argmin argmax tr "
    "softmax sigmoid relu sgn sign diag".split()
)
"""Commands that are a function of their own name."""

SIGNS: Final[dict[str, str]] = {
    "cdot": "·",
    "bullet": "⊙",
    "times": "×",
    "odot": "⊙",
    "circ": "⊙",
    "ast": "*",
    "star": "*",
    "otimes": "⊗",
    "div": "/",
    "slash": "/",
    "over": "over",
    "pm": "±",
    "mp": "±",
    "oplus": "⊕",
    "ominus": "⊖",
    "oslash": "/",
    "prime": "'",
    "nabla": "∇",
    "colon": ":",
    "mid": "mid",
    "middle|": "mid",
    "vert": "|",
    "lvert": "|open",
    "rvert": "|close",
    "Vert": "‖",
    "parallel": "‖",
    "lVert": "‖open",
    "rVert": "‖close",
    "lbrace": "\\{",
    "rbrace": "\\}",
    "lbrack": "[",
    "rbrack": "]",
    "langle": "⟨",
    "rangle": "⟩",
    "lfloor": "⌊",
    "rfloor": "⌋",
    "lceil": "⌈",
    "rceil": "⌉",
    "eq": "=",
    "neq": "≠",
    "ne": "≠",
    "lt": "<",
    "gt": ">",
    "le": "≤",
    "leq": "≤",
    "leqslant": "≤",
    "leqq": "≤",
    "ge": "≥",
    "geq": "≥",
    "geqslant": "≥",
    "geqq": "≥",
    "approx": "≈",
    "approxeq": "≈",
    "simeq": "≈",
    "cong": "≈",
    "in": "∈",
    "equiv": "≡",
    "coloneqq": ":=",
    "coloneq": ":=",
    "triangleq": ":=",
    "doteq": ":=",
    "defeq": ":=",
    "to": "→",
    "rightarrow": "→",
    "longrightarrow": "→",
    "mapsto": "→",
    "gets": "←",
    "leftarrow": "←",
    "longleftarrow": "←",
    "propto": "∝",
    "sim": "∼",
    "notin": "∉",
    "subset": "⊂",
    "subseteq": "⊂",
    "ll": "≪",
    "gg": "≫",
    "sum": "Σ",
    "prod": "Π",
    "int": "∫",
    "iint": "∫",
    "oint": "∫",
    "lim": "lim",
    "forall": "∀",
    "exists": "∃",
    "cup": "∪",
    "cap": "∩",
    "setminus": "∖",
    "Rightarrow": "⇒",
    "Longrightarrow": "⇒",
    "implies": "⇒",
    "Leftrightarrow": "⇒",
    "Longleftrightarrow": "⇒",
    "iff": "⇒",
    "therefore": "⇒",
    "land": "⇒",
    "wedge": "⇒",
    "surd": "√",
}
"""Commands that are a sign."""

BIGS: Final[dict[str, str]] = {"Σ": "sum", "Π": "prod", "max": "max", "min": "min", "mean": "mean", "sup": "max"}

FONTS: Final[frozenset[str]] = frozenset(
    "mathbf mathit mathsf mathcal mathfrak mathscr mathnormal boldsymbol bm bold pmb symbf symit symbfit mathbfit "
    "symbfup vect mat bf it rm cal sf tt boxed fbox underline cancel bcancel xcancel mathord "
    "mathinner mathopen mathclose ensuremath displaystyle textstyle scriptstyle scriptscriptstyle limits nolimits "
    "boldmath unboldmath left right middle bigl bigr bigm Bigl Bigr Bigm biggl biggr biggm Biggl Biggr Biggm big Big "
    "bigg Bigg smash mathstrut strut nonumber notag hfill hfil centering normalsize small large Large tiny "
    "allowbreak begingroup endgroup relax protect null bigskip medskip smallskip noindent mathchoice hline".split()
)
"""Commands that only decorate: they are dropped and what follows them stays."""

SPACES: Final[frozenset[str]] = frozenset(
    "enspace enskip thinspace medspace thickspace negthinspace negmedspace negthickspace space "
    "newline linebreak par".split()
)

SIGN_CLASSES: Final[frozenset[str]] = frozenset({"mathop", "mathrel", "mathbin", "mathpunct"})
"""Commands that only say how wide the blanks around a sign are: \\mathrel{:=}."""

GAPS: Final[dict[str, bool]] = {
    "quad": False,
    "qquad": False,
    "hspace": True,
    "hspace*": True,
    "vspace": True,
    "vspace*": True,
}
"""Wide blanks, which set formulas apart, and whether they take an argument."""

DROPPED_WITH_ARGUMENT: Final[frozenset[str]] = frozenset(
    "color label tag tag* phantom hphantom vphantom eqref ref cite kern mkern mskip textcolor colorbox "
    "raisebox fontsize hskip cline".split()
)
"""Commands that are dropped with their first argument: \\textcolor{red}{x} is x."""

TEXTS: Final[frozenset[str]] = frozenset(
    "text textrm textup textsf texttt textnormal textmd mbox hbox mathrm mathtt operatorname operatorname* "
    "textbf textit emph up mathup symup symrm DeclareMathOperator verb".split()
)
"""Commands whose argument is text: a name, a function, or words."""

BLACKBOARD: Final[dict[str, str]] = {
    "R": "ℝ",
    "N": "ℕ",
    "Z": "ℤ",
    "Q": "ℚ",
    "C": "ℂ",
    "E": "𝔼",
    "P": "ℙ",
    "V": "𝕍",
    "1": "1",
    "I": "1",
}

ACCENTS: Final[dict[str, str]] = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "overline": "bar",
    "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot",
    "vec": "vec",
    "overrightarrow": "vec",
    "check": "check",
    "widecheck": "check",
}

COMMANDS: Final[dict[str, int]] = {
    "frac": 2,
    "dfrac": 2,
    "tfrac": 2,
    "cfrac": 2,
    "sfrac": 2,
    "nicefrac": 2,
    "flatfrac": 2,
    "sqrt": 1,
    "binom": 2,
    "underbrace": 1,
    "overbrace": 1,
    "underbracket": 1,
    "overbracket": 1,
    "underset": 2,
    "overset": 2,
    "stackrel": 2,
    "substack": 1,
    "dv": 2,
    "pdv": 2,
    "odv": 2,
    "fdv": 2,
    "derivative": 2,
    "abs": 1,
    "norm": 1,
    "not": 1,
    **dict.fromkeys(ACCENTS, 1),
}
"""Commands with a meaning of their own, and how many arguments they take."""

FRACTIONS: Final[frozenset[str]] = frozenset({"frac", "dfrac", "tfrac", "cfrac", "sfrac", "nicefrac", "flatfrac"})
DERIVATIVES: Final[dict[str, str]] = {
    "dv": "total",
    "odv": "total",
    "derivative": "total",
    "pdv": "partial",
    "fdv": "partial",
}
BRACES: Final[frozenset[str]] = frozenset({"underbrace", "overbrace", "underbracket", "overbracket"})

MATRICES: Final[frozenset[str]] = frozenset(
    "matrix pmatrix bmatrix Bmatrix vmatrix smallmatrix bsmallmatrix psmallmatrix array".split()
)
CASES: Final[frozenset[str]] = frozenset({"cases", "dcases", "rcases", "numcases"})
PLAIN_ENVIRONMENTS: Final[frozenset[str]] = frozenset(
    "equation align aligned split gather gathered eqnarray multline alignat alignedat flalign math displaymath "
    "subequations empheq".split()
)
"""Environments that only arrange; a star after the name changes nothing."""

UNSUPPORTED: Final[dict[str, tuple[str, str]]] = {
    "∝": ("∝ says only that two sides are proportional", "write the factor and an equals sign"),
    "∼": ("∼ states a distribution or a rough size, not an equation", "write an equation"),
    "over": ("\\over is not read here", "write \\frac{…}{…}"),
    "∫": ("integrals are not part of the formula language", "write the value of the integral, or a sum"),
    "lim": ("limits are not part of the formula language", "write the value of the limit"),
    "±": ("± is two formulas at once", "write each of the two formulas"),
    "⊕": ("⊕ has no fixed meaning here", "write +, or the concatenation by its entries"),
    "⊖": ("⊖ has no fixed meaning here", "write -"),
    "∀": ("quantifiers are not part of the formula language", "leave the condition to the text around the formula"),
    "∃": ("quantifiers are not part of the formula language", "leave the condition to the text around the formula"),
    "∪": ("sets are not part of the formula language", "write the condition in words"),
    "∩": ("sets are not part of the formula language", "write the condition in words"),
    "∖": ("sets are not part of the formula language", "write the condition in words"),
    "⊂": ("sets are not part of the formula language", "write the condition in words"),
    "∉": ("sets are not part of the formula language", "write the condition in words"),
    "≪": ("≪ is not a relation that can be checked", "write < or ≤"),
    "≫": ("≫ is not a relation that can be checked", "write > or ≥"),
    "⌊": ("rounding is not part of the formula language", "give the rounded value a name"),
    "⌈": ("rounding is not part of the formula language", "give the rounded value a name"),
}
"""Signs that are understood and refused: what is wrong, and what to write."""
