"""`python -m runtime.ask`: one request through the Lambda handler.

The entry point only, and no part of the package: see local/.
"""

import sys

from local.ask import main

if __name__ == "__main__":
    sys.exit(main())
