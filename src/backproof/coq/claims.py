"""Claims: what a person says of delta of an output layer, or its negation, as a Coq file of its own."""

from __future__ import annotations

from backproof import catalog
from backproof.calculus.network import Network
from backproof.coq.catalogue import output
from backproof.coq.document import Document
from backproof.coq.exporting import Export
from backproof.coq.functions import Functions
from backproof.coq.outputs import scalar
from backproof.coq.refutations import MODULES, Case, affirmation, negation
from backproof.errors import ExportError
from backproof.language.expression import Expr

NAME = "the_claim"


def export_claim(network: Network, right_side: Expr, *, wrong: bool) -> Export:
    """The file that states and proves `∂J/∂z = right_side`, or, of a wrong claim, that it does not hold.

    `right_side` is about one entry of the vectors a, y and z. Raises ExportError for a network with layers, for a loss
    or an activation of whole vectors, and for a wrong claim without a point at which Coq can compute.
    """
    entries = (catalog.activation(network.output), catalog.loss(network.loss))
    if network.sizes or network.batch or any(e.abstract or not e.elementwise for e in entries):
        raise ExportError(
            "a claim has a Coq form only where it is about delta of an output layer, unit by unit",
            expected="--output and --loss that work on single numbers, no --layers, one example",
            next="without a claim the network's own derivation is proved",
        )
    case = Case(NAME, output(network.output, network.loss), scalar(right_side))
    functions = Functions()
    found = negation(case, functions) if wrong else affirmation(case, functions)
    if found is None:
        raise ExportError(
            "no point is known at which Coq can compute that the claim is wrong",
            next="`backproof check` shows a point and the numbers there",
        )
    document = Document(f"A {'wrong ' if wrong else ''}claim about delta: {network.describe()}", MODULES)
    if functions.written:
        document.add(functions.text())
    document.add(found.text, [found.name])
    return Export(document.text(), tuple(document.theorems))
