from __future__ import annotations

import pytest

from house import floors


def test_every_import_leads_to_a_lower_floor() -> None:
    wrong = []
    for module, path in floors.modules().items():
        edges = floors.edges(path.read_text("utf-8"), module, is_package=path.name == "__init__.py")
        wrong += floors.violations(edges)
    assert not wrong, "\n".join(wrong)


def test_every_room_has_a_floor() -> None:
    assert {floors.room(m) for m in floors.modules()} <= set(floors.FLOORS)


def test_the_walk_sees_the_package() -> None:
    assert len(floors.modules()) > 10
    edges = [
        e
        for m, p in floors.modules().items()
        for e in floors.edges(p.read_text("utf-8"), m, is_package=p.name == "__init__.py")
    ]
    assert len(edges) > 20


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("backproof.language.walks", "import backproof.catalog"),
        ("backproof.language.walks", "from backproof import catalog"),
        ("backproof.language.walks", "from backproof.catalog.entry import Entry"),
        ("backproof.language.walks", "from ..catalog import entry"),
        ("backproof.language.walks", "from .. import catalog"),
        ("backproof.language.walks", "def f():\n    from backproof.proof import verdict"),
        ("backproof.language.walks", "if TYPE_CHECKING:\n    from backproof.proof.verdict import Verdict"),
        ("backproof.language.walks", "import importlib\nimportlib.import_module('backproof.cli')"),
        ("backproof.errors", "from backproof.language.expression import Expr"),
        ("backproof.calculus.sweep", "from backproof.algebra.normal import normal"),
        ("backproof.algebra.normal", "import backproof.calculus.sweep"),
        ("backproof.check.claims", "from backproof.run import digits"),
        ("backproof.cli.derive", "from backproof import derive"),
        ("backproof.cli.derive", "import backproof"),
        ("backproof.web.server", "from backproof.cli import main"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str) -> None:
    assert len(floors.violations(floors.edges(source, module))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("backproof.language.walks", "from backproof.language.expression import Expr"),
        ("backproof.language.walks", "from .expression import Expr"),
        ("backproof.language.walks", "from backproof.errors import FormulaError"),
        ("backproof.proof.decide", "from backproof import catalog, errors"),
        ("backproof.cli.derive", "import numpy.linalg\nfrom backproof.explain import terminal"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    edges = floors.edges(source, module)
    assert floors.violations(edges) == []


def test_relative_imports_of_a_package_start_at_the_package() -> None:
    (edge,) = floors.edges("from .entry import Entry", "backproof.catalog", is_package=True)
    assert edge.target == "backproof.catalog.entry"
