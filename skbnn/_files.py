"""Files that appear whole or not at all."""

import os
import stat
from contextlib import contextmanager, suppress


def require_file(path):
    """Raise ValueError if something else than a file is there: to open a pipe waits, for ever if nobody writes."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise ValueError(f"path must be that of a file, got {os.fspath(path)!r}")


@contextmanager
def replacing(path):
    """A new binary file to write to, which takes the place of ``path`` in the end, or vanishes if there is an error.

    Raises ValueError if something else than a file is there.
    """
    target = os.path.realpath(os.fsdecode(path))  # what a link points to, not the link
    require_file(path)
    exists = os.path.exists(target)
    temporary = os.path.join(os.path.dirname(target), f".skbnn-{os.urandom(8).hex()}")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if exists:
            os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename = os.fspath(path)
        raise
