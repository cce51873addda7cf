"""authority - certificates for tests, made by openssl

    ca = Authority(lab)
    cert, key = ca.issue("DNS:example.test,IP:127.0.0.1")

`ca.path` is what is to be trusted. Files are in the lab's folder.
"""
import os
import subprocess

from lab import need


class Authority:
    def __init__(self, lab, name="Test Authority"):
        need("openssl")
        self.lab, self.name, self.count = lab, name, 0
        self.folder = lab.path("ca-" + name.replace(" ", "-").lower())
        os.makedirs(self.folder)
        self.path, self.key = self._file("ca.pem"), self._file("ca.key")
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                  "-keyout", self.key, "-out", self.path, "-subj", "/CN=" + name,
                  "-addext", "basicConstraints=critical,CA:TRUE")

    def _file(self, name):
        return os.path.join(self.folder, name)

    @staticmethod
    def _run(*args, past=None):
        wrap = []
        if past:
            need("faketime")
            wrap = ["faketime", past]
        return subprocess.run(wrap + ["openssl"] + list(args), check=True, capture_output=True, timeout=60)

    def issue(self, names, subject="example.test", past=None, days=30, extra=""):
        """names: "DNS:a,IP:127.0.0.1", "" none; past: a day it is signed on -> PEM file, key file"""
        self.count += 1
        stem = self._file("%d" % self.count)
        cert, key, request, conf = stem + ".pem", stem + ".key", stem + ".csr", stem + ".cnf"
        with open(conf, "w", encoding="ascii") as f:
            f.write("basicConstraints=CA:FALSE\n%s%s" % ("subjectAltName=%s\n" % names if names else "", extra))
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                  "-out", request, "-subj", "/CN=" + subject)
        self._run("x509", "-req", "-in", request, "-CA", self.path, "-CAkey", self.key, "-CAcreateserial",
                  "-days", str(days), "-extfile", conf, "-out", cert, past=past)
        return cert, key


def pins(cert):
    """-> SHA-256 of the certificate, and of its public key, both hex"""
    run = lambda *a, **kw: subprocess.run(["openssl"] + list(a), check=True, capture_output=True, timeout=60, **kw).stdout
    whole = run("x509", "-in", cert, "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1]
    der = run("pkey", "-pubin", "-outform", "DER", input=run("x509", "-in", cert, "-noout", "-pubkey"))
    key = run("dgst", "-sha256", "-r", input=der).decode().split()[0]
    return whole.replace(":", "").lower(), key
