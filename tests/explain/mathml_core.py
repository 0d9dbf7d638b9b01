"""What MathML Core allows: https://www.w3.org/TR/mathml-core/, the elements without those for prescripts and errors."""

from __future__ import annotations

import xml.etree.ElementTree as ET

CORE = {
    "math", "mi", "mn", "mo", "mtext", "mspace", "mrow", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd",
}  # fmt: skip
ATTRIBUTES = {
    "class", "alttext", "displaystyle", "form", "stretchy", "symmetric", "lspace", "rspace", "largeop",
    "movablelimits", "separator", "accent", "width", "mathvariant",
}  # fmt: skip
CHILDREN = {"mfrac": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3, "mroot": 2}


def core(text: str) -> ET.Element:
    """The formula as a tree, which is well-formed and holds nothing but MathML Core."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag in CORE, element.tag
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
        assert element.get("mathvariant", "normal") == "normal"
        if element.tag in CHILDREN:
            assert len(element) == CHILDREN[element.tag], element.tag
    return root
