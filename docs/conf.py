"""Sphinx configuration: pages in Markdown, references out of the code, no request to a server."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "bayesurv"
author = "The bayesurv authors"
project_copyright = author
version = release = installed("bayesurv")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "mathml",
    "references",
]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
default_role = "literal"  # `name` in a docstring

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the signature in the source is shorter
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Sources", "notes_style"), ("Source", "notes_style")]
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = "bayesurv"
html_static_path = ["_static"]
html_css_files = ["bayesurv.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
