"""A server of the test's own: the demo county in a fresh directory, on free loopback ports, over TLS as in production. Ends with
the `with` block."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import certificate

PASSWORD = "Demo-2026-yunchuang"
START_WITHIN_S = 60


def binary(name: str) -> pathlib.Path:
    return pathlib.Path(os.environ["CLOUD_BOOTH_BIN"]) / name


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __enter__(self) -> "Server":
        self.dir = tempfile.mkdtemp(prefix="cloud-booth-interop-")
        self.url = f"https://127.0.0.1:{free_port()}"
        authority, chain, key = certificate.write(pathlib.Path(self.dir))
        # Trusted by this process and by the programs that it starts.
        os.environ["SSL_CERT_FILE"] = str(authority)
        env = os.environ | {
            "CLOUD_BOOTH_LISTEN": self.url.removeprefix("https://"),
            "CLOUD_BOOTH_PUBLIC_URL": self.url,
            "CLOUD_BOOTH_DATA_DIR": self.dir,
            "CLOUD_BOOTH_MEDIA__UDP_PORT": "0",
            "CLOUD_BOOTH_TLS__CERTIFICATE": str(chain),
            "CLOUD_BOOTH_TLS__KEY": str(key),
        }
        env.pop("CLOUD_BOOTH_BIN")  # the server refuses variables that it does not know
        self.log = open(os.path.join(self.dir, "server.log"), "w+b")
        self.process = subprocess.Popen([binary("cloud-booth"), "serve", "--demo"], env=env, stdout=self.log, stderr=self.log)
        try:
            self._ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _ready(self) -> None:
        end = time.monotonic() + START_WITHIN_S
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError("the server did not start:\n" + self.log.read().decode(errors="replace"))

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
