"""Settings that are declared once: what reads them, refuses them, makes flags of them and documents them."""
