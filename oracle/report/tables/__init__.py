"""Tables as csv, Markdown and LaTeX."""
