"""`python -m esnkit`: the command line."""

import sys

from esnkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
