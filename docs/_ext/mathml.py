"""Formulas as MathML, which browsers draw themselves: nothing is fetched, nothing is installed."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

SPACED = (
    (r"(<mi>(?:log|exp)</mi>)(?!<mo stretchy|<mrow><mo|</)", r'\1<mspace width="0.17em"/>'),
    (r"<mi>&#x0007E;</mi>", '<mo lspace="0.28em" rspace="0.28em">&#x0223C;</mo>'),
)


def formula(text: str, display: str) -> str:
    """MathML of a formula in TeX, with the spaces that the converter leaves out."""
    found = convert(text, display=display)
    for pattern, spaced in SPACED:
        found = re.sub(pattern, spaced, found)
    return found


def inline(translator: Any, node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(formula(node.astext(), "inline"))
    raise nodes.SkipNode


def block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    found = formula(node.astext(), "block")
    translator.body.append(f'<div class="math block">{found}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make "mathml" one of the renderers."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
