"""Sphinx configuration."""

import penstock

project = "penstock"
author = "the penstock developers"
copyright = "the penstock developers"
version = release = penstock.__version__

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}
exclude_patterns = ["_build", "jupyter_execute"]
nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "furo"
html_title = "penstock"
html_static_path: list[str] = []
