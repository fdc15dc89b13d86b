"""`python -m runtime.local`: the Lambda handler over HTTP on this machine.

The entry point only, and no part of the package: see local/.
"""

import sys

from local.serve import main

if __name__ == "__main__":
    sys.exit(main())
