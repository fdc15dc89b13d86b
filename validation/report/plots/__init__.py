"""Pictures as SVG: each function draws one and returns its text."""
