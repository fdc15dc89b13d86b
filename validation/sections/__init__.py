"""The sections of a validation, in the order of the page.

A section is a module with a function `Subject -> Part`: a figure of JSON's types (or why it has none), claims and
findings. It is listed in `validation.sections.listed.SECTIONS` with its title and its template,
`validation/report/templates/_validation_NAME.html.j2`, which sees the figure as `its`.
"""
