"""A real PostgreSQL, where one is installed, and small models to search over."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

PASSWORD = "Correct-Horse-7"


def programs():
    """Give the folder with PostgreSQL's programs, or `None`."""
    found = shutil.which("pg_ctl")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if (one / "initdb").exists()), None)


class Server:
    """A server with a data folder and a port of its own, which can be stopped and started."""

    def __init__(self, folder, binaries):
        self.folder, self.binaries = folder, binaries
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://kerasopt:{PASSWORD}@127.0.0.1:{self.port}/postgres"
        secret = folder / "password"
        secret.write_text(PASSWORD)
        if os.geteuid() == 0:  # the server refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
            shutil.chown(secret, "postgres", "postgres")
        self.run("initdb", "-D", folder / "data", "-U", "kerasopt", "-A", "scram-sha-256",
                 "--pwfile", secret, "-N")  # fmt: skip

    def run(self, program, *arguments):
        command = [str(self.binaries / program), *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        log = open(self.folder.parent / f"{self.folder.name}.log", "a")  # noqa: SIM115
        subprocess.run(command, check=True, stdout=log, stderr=log, cwd="/")

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -F"
        self.run("pg_ctl", "-D", self.folder / "data", "-w", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")


@pytest.fixture(scope="session")
def postgres():
    """Give a running server, or skip."""
    binaries = programs()
    if binaries is None and os.environ.get("KERASOPT_POSTGRES") == "required":
        pytest.fail("PostgreSQL is required here, and none is installed")
    if binaries is None:
        pytest.skip("no PostgreSQL is installed; CONTRIBUTING.md says how to install one")
    # Not below pytest's folder, which nobody but its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="kerasopt-postgres-"))
    server = Server(folder, binaries)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
