"""Settings that are declared once: they are read, checked, made into flags and documented from one declaration."""
