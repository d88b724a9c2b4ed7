"""PostgreSQL over TLS, as its URL asks for it: every part of Tallygate that opens the database."""

import os
import pwd
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from certificates import Authority
from child_processes import free_port, temporary_directory
from servers import PostgresServer
from tallygate.app.errors import StartError
from tallygate.app.installation import create_tenant, migrate, opened
from tallygate.settings import DatabaseSettings, SecretUrl, Settings


@pytest.fixture(scope="module")
def server():
    """Takes connections over TLS only: port, and the authority that signed its certificate and its clients'."""
    binaries = postgres_with_ssl()
    if binaries is None:
        pytest.skip("no PostgreSQL with SSL on the PATH, and the wheel's has none")
    directory, port = temporary_directory("tg-pki-"), free_port()
    authority = Authority(directory)
    certificate = authority.issue("server", names="DNS:localhost,IP:127.0.0.1")
    authority.issue("tallygate")
    options = ["-h", "127.0.0.1", "-p", str(port), "-c", "ssl=on", "-c", f"ssl_cert_file={certificate.cert}"]
    options += ["-c", f"ssl_key_file={certificate.key}", "-c", f"ssl_ca_file={authority.cert}"]
    options += ["-c", "ssl_min_protocol_version=TLSv1.2", "-c", f"hba_file={directory / 'hba.conf'}"]
    (directory / "hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 cert map=any\n")
    (directory / "ident.conf").write_text("any tallygate postgres\n")
    options += ["-c", f"ident_file={directory / 'ident.conf'}"]
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        for path in (directory, *directory.iterdir()):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    with Server(binaries=binaries, options=options, port=port) as running:
        running.create_database()
        yield directory, port


class Server(PostgresServer):
    """Its socket is named after its port."""

    def __init__(self, *, port, **options):
        super().__init__(**options)
        self._port = port

    def dsn(self, database="postgres"):
        return f"{super().dsn(database)} port={self._port}"


def postgres_with_ssl():
    found = shutil.which("postgres")
    if found is None:
        return None
    binaries = Path(found).resolve().parent
    linked = subprocess.run(["ldd", binaries / "postgres"], capture_output=True, text=True, timeout=30, check=True)
    return binaries if "libssl" in linked.stdout else None


def settings(directory, port, mode, *, home, ca="authority", client="tallygate"):
    options = f"sslmode={mode}&sslrootcert={directory / ca}.pem"
    if client:
        options += f"&sslcert={directory / client}.pem&sslkey={home / client}.key"
        shutil.copyfile(directory / f"{client}.key", home / f"{client}.key")  # libpq wants it to be ours alone
        (home / f"{client}.key").chmod(0o600)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres?{options}"
    return Settings(database=DatabaseSettings(url=SecretUrl(url)))


async def test_the_whole_of_it_runs_over_tls(server, tmp_path):
    found = settings(*server, "verify-full", home=tmp_path)
    migrate(found)
    await create_tenant(found, tenant_id="shop", currency="EUR", time_zone="UTC", test=False)
    async with opened(found) as engine, engine.connect() as connection:
        asked = "SELECT version, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        version, used = (await connection.exec_driver_sql(asked)).one()
    assert used
    assert version >= ssl.TLSVersion.TLSv1_2.name.replace("_", ".")


def test_without_tls_or_a_certificate_one_line_says_so(server, tmp_path):
    for changed in ({"mode": "disable"}, {"mode": "require", "client": ""}):
        with pytest.raises(StartError, match="cannot be used") as refused:
            migrate(settings(*server, home=tmp_path, **{"mode": "require"} | changed))
        assert "\n" not in str(refused.value)


def test_a_stranger_s_certificate_is_not_accepted(server, tmp_path):
    stranger = Authority(tmp_path, "stranger").cert
    found = settings(*server, "verify-ca", home=tmp_path, ca=stranger.with_suffix(""))
    with pytest.raises(StartError, match="a certificate is not accepted"):
        migrate(found)
