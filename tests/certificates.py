"""An authority of the tests' own, and what it signs: made by the openssl command, valid for a day."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc")


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, each a PEM file."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates; who trusts `cert` trusts them."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._name = name
        self.cert, self._key = directory / f"{name}.pem", directory / f"{name}.key"
        _openssl("req", "-x509", *_EC, "-days", "1", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.cert)

    def issue(
        self, name: str, *, names: str = "IP:127.0.0.1,DNS:localhost", subject: str = "", days: int = 1
    ) -> Certificate:
        """A certificate under this file name; `names` are its subjectAltName in openssl's form."""
        issued = Certificate(cert=self._directory / f"{name}.pem", key=self._directory / f"{name}.key")
        request, extensions = self._directory / f"{name}.csr", self._directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        _openssl("req", *_EC, "-subj", subject or f"/CN={name}", "-keyout", issued.key, "-out", request)
        signing = ("-CA", self.cert, "-CAkey", self._key, "-CAcreateserial", "-days", str(days), "-extfile", extensions)
        _openssl("x509", "-req", "-in", request, *signing, "-out", issued.cert)
        return issued


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
