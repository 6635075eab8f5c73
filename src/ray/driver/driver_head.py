# ---- From here on: what only the driver needs, and workers of Ray --------------------------------

import base64
import fcntl
import glob
import hashlib
import hmac
import itertools
import selectors
import shutil
import socket
import subprocess
import tempfile
import uuid

