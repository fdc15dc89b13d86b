"""`python -m runtime.local`: the Lambda handler over HTTP on this machine.

The entry point only, and no part of the package: see local/.
"""

if __name__ == "__main__":  # nothing is imported before, since Ctrl-C may interrupt imports
    from cli.entry import start

    start("local.serve")
