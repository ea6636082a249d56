"""Settings of the documentation site, read by `sphinx-build`; extending.md has the commands.

The pages are the Markdown files of this folder. `site/` adds what a site has and a terminal does not: navigation, loss
cards, the reference of the Python API, a search that finds Chinese words.
"""

from lossbench import __version__
from lossbench.guide import site

project = "lossbench"
release = __version__


extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 4
default_role = "code"
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_class_signature = "separated"

html_theme = "furo"
html_title = f"lossbench {__version__}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

setup = site.setup
