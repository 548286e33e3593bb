"""Policy: what may leave the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal, TypeAlias

from gateway.core.policy.section import section

Label: TypeAlias = Literal["local", "cloud-ok", "redact"]


@section
class PrivacyRules:
    """What may leave the house. Labels: `local` nothing, `cloud-ok` what holds nothing private, `redact` the same, with secrets replaced where they can be. Whatever is unknown, late or broken stays."""

    leave: bool = False
    """Let content leave at all. Everything below can only take away from that."""

    anonymous: Label = "local"
    """The label of callers on this machine that show no key."""

    roots: Mapping[str, Label] = field(default_factory=dict)
    """Folders and their labels, like {"/home/me/oss": cloud-ok, "/home/me/oss/client": local}; the innermost counts. Every path in a conversation must lie in one that may leave."""

    neutral: tuple[str, ...] = (
        "/dev/null",
        "/dev/stdin",
        "/dev/stdout",
        "/dev/stderr",
        "/dev/tty",
        "/bin",
        "/sbin",
        "/lib",
        "/lib64",
        "/usr",
        "/opt/homebrew",
        "/path/to",
    )
    """Folders and files that are the same on every machine, or in every example: to name them says nothing."""

    private_files: tuple[str, ...] = (
        ".env",
        ".env.*",
        "*.env",
        ".envrc",
        "*.pem",
        "*.key",
        "*.p12",
        "*.pfx",
        "*.jks",
        "*.keystore",
        "*.kdbx",
        "*.ppk",
        "*.ovpn",
        "id_rsa*",
        "id_dsa*",
        "id_ecdsa*",
        "id_ed25519*",
        "*.tfstate",
        "*.tfstate.*",
        "*.tfvars",
        "*.tfvars.json",
        "kubeconfig*",
        ".kube/*",
        ".ssh/*",
        ".aws/*",
        ".azure/*",
        ".gnupg/*",
        ".config/gcloud/*",
        ".docker/config.json",
        ".netrc",
        "_netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        ".git-credentials",
        ".htpasswd",
        ".my.cnf",
        ".vault-token",
        "credentials.json",
        "service-account*.json",
        "*-service-account.json",
        "secrets.y*ml",
        "secrets.json",
        "secrets.toml",
        "etc/shadow",
    )
    """Files that keep a conversation at home when it names them, by name or by the end of their path."""

    harmless_files: tuple[str, ...] = ("*.example", "*.sample", "*.template", "*.dist", "*.pub", ".env.test")
    """Exceptions from `private_files`."""

    networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    """Address ranges that are internal. What every home router has, 192.168.0.1, 192.168.1.1 and 10.0.0.1, tells nothing and doesn't count."""

    hosts: tuple[str, ...] = ()
    """Further names of internal machines, like "*.acme.net" or "build7". Suffixes such as .corp, .internal and .lan are known."""

    banners: tuple[str, ...] = (
        "confidential",
        "strictly confidential",
        "company confidential",
        "proprietary and confidential",
        "confidential and proprietary",
        "internal use only",
        "for internal use",
        "not for distribution",
        "do not distribute",
    )
    """Words that mark a text as private where they stand as a banner: alone in a line, in capitals, or first in a line before a mark."""

    ignore: tuple[str, ...] = ()
    """Detection rules that don't count, by id or kind. `holdfast route FILE` shows ids."""

    also: tuple[str, ...] = ()
    """Rules that count only when named here: email, us-ssn, uk-nino, es-dni, fr-nir, de-idnr, ch-ahv, br-cpf."""

    rules: tuple[str, ...] = ()
    """Files with detection rules of your own, in the form of those that come with the gateway."""

    redact: tuple[str, ...] = (
        "cloud",
        "code",
        "messaging",
        "model",
        "monitoring",
        "payment",
        "private-key",
        "service",
        "password",
        "generic",
    )
    """Kinds of finding that the label `redact` replaces by placeholders; any other keeps the conversation at home."""

    scan_characters: int = 8_000_000
    """The longest conversation that is scanned; a longer one stays at home."""

    scan_seconds: float = 2.0
    """The longest that a scan may take; what is not done by then stays at home."""

    taint_days: int = 30
    """Days for which what once held a secret stays at home, after it was last seen."""
