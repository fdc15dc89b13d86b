"""What people would rather see than read, as SVG: each function draws one picture and returns its text."""
