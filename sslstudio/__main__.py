"""`python -m sslstudio` is the command `sslstudio`."""

import sys

from sslstudio.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
