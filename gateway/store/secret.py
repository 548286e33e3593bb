"""The state directory's own secret, from which every key for marks and hashes is made. Made once, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from hashlib import blake2b
from pathlib import Path

_SIZE = 32


def secret_in(folder: Path) -> bytes:
    """The secret of this state directory, made where there is none. Raises OSError where it can't be read or made."""
    path = folder / "secret"
    made = folder / f"secret.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        file = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, secrets.token_bytes(_SIZE))
            os.fsync(file)
        finally:
            os.close(file)
        try:
            os.link(made, path)  # fails where another process was first: then its secret holds
        except FileExistsError:
            pass
        finally:
            made.unlink()
    secret = path.read_bytes()
    if len(secret) != _SIZE:
        raise OSError(f"{path} is damaged; move it away, which gives up the taints and the audit log that it marked")
    return secret


def key_for(purpose: str, secret: bytes) -> bytes:
    """The key for one purpose (`audit`, `taints`, `placeholders`); none tells anything of another."""
    return blake2b(purpose.encode(), key=secret, digest_size=32).digest()
