# ---- From here on: what only the driver needs, and workers of Ray --------------------------------

import fcntl
import hashlib
import selectors

