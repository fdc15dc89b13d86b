"""Answers of a validation under the headings of supervisors' templates, one module each."""
