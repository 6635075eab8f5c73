# ---- From here on: what only a driver on Ray needs, and its workers ------------------------------

import base64
import hmac
import itertools
import socket
import subprocess
import tempfile
import uuid

