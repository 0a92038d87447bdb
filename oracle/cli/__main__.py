"""``python -m oracle.cli``: the same as ``silo-oracle``."""

import sys

from oracle.cli.main import main

sys.exit(main())
