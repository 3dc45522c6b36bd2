"""A process of its own that delivers one file, to be killed on the way; with `hang`, the disk takes for ever."""

import os
import pickle
import sys
import time
from pathlib import Path

from pepforms.digest import sha256

if __name__ == "__main__":
    engine, name, source = pickle.loads(bytes.fromhex(sys.argv[1])), sys.argv[2], Path(sys.argv[3])
    data = source.read_bytes()
    if sys.argv[4:] == ["hang"]:
        os.fsync = lambda handle: time.sleep(60)
    with engine.opened() as destination:
        destination.put(name, data, sha256=sha256(data))
