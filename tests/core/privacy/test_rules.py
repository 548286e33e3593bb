"""The shipped rules find what issuers issue, wherever it stands and however it is written, and leave alone what only looks so."""

from __future__ import annotations

import html
import json
import random
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.secret_rules import rules_under
from gateway.core.conversation import Conversation, Message, Prose
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.privacy.finding import Scan
from gateway.core.privacy.gate import Gate
from gateway.core.privacy.permission import Claim
from gateway.core.privacy.restoring import Restorer
from gateway.core.privacy.rule import Matcher
from gateway.core.privacy.units import contents
from gateway.core.stream import Text
from tests.core.privacy.issued import FORMS, issued
from tests.core.privacy.test_restoring import run, text_of

Look = Callable[[Conversation], Scan]

AROUND = {"alone": "{}", "said": "Use {} for this.", "code": 'value = "{}"\n', "logged": "2026-11-21 10:00 got {} back"}


def chat(*texts: str) -> Conversation:
    return Conversation(model="m", messages=tuple(Message(role="user", content=(Prose(text),)) for text in texts))


def test_there_are_rules_for_more_than_a_hundred_and_twenty_kinds() -> None:
    rules = rules_under(PrivacyRules())
    assert len({each.id for each in rules}) == len(rules) > 120
    assert all(each.description for each in rules)


# A line of a file, which is only one where it is a line.
WHOLE_LINES = {"pgpass"}


@pytest.mark.parametrize("name", FORMS)
def test_what_is_issued_is_found_wherever_it_stands(name: str, scan: Look) -> None:
    for number in range(4):
        secret = issued(FORMS[name], random.Random(f"{name} {number}"))
        contexts = ["alone"] if name in WHOLE_LINES or "\n" in secret else AROUND
        for context in contexts:
            assert scan(chat(AROUND[context].format(secret))).findings, (context, secret)


def encoded(text: str) -> dict[str, tuple[str, ...]]:
    data, half = text.encode(), len(text) // 2
    return {
        "json": (json.dumps(text),),
        "json twice": (json.dumps(json.dumps(text)),),
        "json thrice": (json.dumps(json.dumps(json.dumps(text))),),
        "every letter escaped": ("".join(f"\\u{ord(each):04x}" for each in text),),
        "url": (quote(text, safe=""),),
        "url twice": (quote(quote(text, safe=""), safe=""),),
        "every letter percent": ("".join(f"%{each:02x}" for each in data),),
        "html": (html.escape(text),),
        "every letter an entity": ("".join(f"&#{ord(each)};" for each in text),),
        "base64": (b64encode(data).decode(),),
        "base64 for addresses": (urlsafe_b64encode(data).decode().rstrip("="),),
        "base64 twice": (b64encode(b64encode(data)).decode(),),
        "base64 of UTF-16": (b64encode(text.encode("utf-16-le")).decode(),),
        "base64 as a path": (f"https://files.test/a/b/{b64encode(data).decode()}",),
        "base32": (b32encode(data).decode(),),
        "hexadecimal": (data.hex(),),
        "zero width": ("\u200b".join(text),),
        "joiners": ("\u2060".join((text[:half], text[half:])),),
        "full width": ("".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in text),),
        "wrapped": ("\n".join(text[at : at + 40] for at in range(0, len(text), 40)),),
        "wrapped in quotes": ('" +\n    "'.join(text[at : at + 40] for at in range(0, len(text), 40)),),
        "wrapped in a diff": ("\n+".join(text[at : at + 40] for at in range(0, len(text), 40)),),
        "split": (text[:half], text[half:]),
        "base64, split": (b64encode(data).decode()[:half], b64encode(data).decode()[half:]),
    }


ENCODINGS = list(encoded("any"))
SHOWN = ("github classic", "openai", "aws secret env", "stripe", "postgres uri", "slack bot", "bearer", "gcp api")


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_encoding_hides_a_secret(name: str, encoding: str, scan: Look) -> None:
    secret = issued(FORMS[name], random.Random(name))
    assert scan(chat(*encoded(f"the value: {secret} it is")[encoding])).findings


@pytest.mark.parametrize(
    "harmless",
    [
        'api_key = os.environ["API_KEY"]', "password = getpass.getpass()", 'token = "${GITHUB_TOKEN}"', 'secret: "<your-secret>"',
        "Authorization: Bearer ${env.AUTH_TOKEN}", 'password = "changeme"', "postgres://user:password@localhost/db",
        "API_KEY=your-api-key-here", "key = AKIAIOSFODNN7EXAMPLE", 'sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        "commit 1f0c9d3e77aa4b529c110e5f3a9d2b44deadbeef", "integrity sha512-" + "qY3k" * 21 + "==", "def get_access_token(self) -> str:",
        "http://localhost:8080/login?token=abc", "The password must have at least twelve characters.", 'TOKEN_PATTERN = r"[A-Za-z0-9]{20,}"',
        "import secrets, hashlib", "-----BEGIN CERTIFICATE-----", "ssh-ed25519 is a kind of key", "127.0.0.1:8080 and 8.8.8.8",
        "version 1.2.3.4, section 10.2.1", "for internal use by the parser", "x = 4111111111111111  # a test card", "call +1 (555) 555-0123",
        "e1b849f9-631f-4e41-b0b3-3c9a6d8d2d7a is the request's id", "PasswordResetTokenGenerator", "self.client_secret_field = 'client_secret'",
        '"AWS::SecretsManager::Secret": "c85175a4ebcce361"', '"AWS::AppSync::ApiKey": "3d104ea0be48564b"',
        "EVP_PKEY *X509_get0_pubkey(const X509 *x);", "key_type == PKIX_RSA_PKCS1V15_4096_SHA256", "'sodium_keygen', 'xchacha20poly1305_keygen'",
        "// auth: https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6", "api_base: 0.01336697916666667", "session.on('goaway', onHTTP2GoAway)",
        'TOKEN = r"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~"', "errSSLAuth = -9841\nerrSSLRecordOverflow = -9842",
        "#define API_COMPAT 30000\nifndef OPENSSL", "Router at 192.168.0.1, or at 10.0.0.1", "r-xp 00000000 fc:01 787766",
        "aceachadaadyaebafhagqainakkakzalealnaltangan" * 30,
    ],
)  # fmt: skip
def test_what_stands_where_a_secret_would_is_none(harmless: str, scan: Look) -> None:
    assert [each.rule for each in scan(chat(harmless)).findings] == []


@pytest.mark.parametrize(
    "told",
    [
        '"profile::mysql::root_password": "Tr0ub4dor&3zz"', "'mysql::server::root_password': 'Tr0ub4dor&3zz'",
        '"DB::Password" => "Tr0ub4dor&3zz"', '"Foo::Bar::secret": "9f31c07be5d2486a"', "profile::db::token: 'q8Zt3LwXv0pR6nYb'",
    ],
)  # fmt: skip
def test_a_name_of_several_parts_is_given_secrets_too(told: str, scan: Look) -> None:
    """Puppet's data."""
    assert scan(chat(told)).findings


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("mail to jane.doe@acme-corp.com", "email"), ("ring +49 170 4829173 now", "phone"), ("IBAN DE89 3704 0044 0532 0130 00", "iban"),
        ("card 4539 1488 0343 6467", "card"), ("SSN 536-22-1878", "us-ssn"), ("ssh admin@10.23.4.17", "internal-address"),
        ("https://jenkins.corp/job", "internal-host"), ("CONFIDENTIAL - do not share", "banner"), ("# Company Confidential", "banner"),
        ("fd12:3456:789a::17", "internal-address"), ("ping 192.168.0.17 and 10.0.0.12", "internal-address"),
    ],
)  # fmt: skip
def test_personal_and_internal_things_are_found(text: str, rule: str, scan: Look) -> None:
    assert rule in {each.rule for each in scan(chat(text)).findings}


def test_personal_data_that_stands_everywhere_counts_only_where_asked_for() -> None:
    ids = {each.id for each in rules_under(PrivacyRules())}
    assert "email" not in ids
    assert "email" in {each.id for each in rules_under(PrivacyRules(also=("email",)))}
    assert "card" not in {each.id for each in rules_under(PrivacyRules(ignore=("card",)))}


def test_a_split_between_any_two_roles_is_found(scan: Look) -> None:
    secret = issued(FORMS["github classic"], random.Random(1))
    roles = ("system", "user", "assistant", "tool")
    for first in roles:
        for second in roles:
            texts = ((first, f"take {secret[:17]}"), (second, f"{secret[17:]} and go on"))
            messages = tuple(Message(role=role, content=(Prose(text),)) for role, text in texts)  # type: ignore[arg-type]
            assert scan(Conversation(model="m", messages=messages)).findings, (first, second)


def test_spans_are_those_of_the_value(engine: Matcher) -> None:
    secret = issued(FORMS["github classic"], random.Random(2))
    text = f"ünïcode before {secret} and after"
    found = [each for each in engine.candidates(text) if each.rule.id == "github-token"]
    assert [text[each.value_start : each.value_end] for each in found] == [secret]


GLUE = st.sampled_from([" ", "\n", '"', "=", "x", "/", ".", "key: ", "é", "\\n", "WITHHELD_"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(GLUE, st.sampled_from(SHOWN), GLUE), min_size=1, max_size=4), st.integers(0, 3))
def test_under_redact_no_secret_is_in_what_leaves(
    engine: Matcher, said: list[tuple[str, str, str]], number: int
) -> None:
    secrets = [issued(FORMS[name], random.Random(f"{name} {number}")) for _, name, _ in said]
    text = "".join(before + secret + after for (before, _, after), secret in zip(said, secrets, strict=True))
    rules = PrivacyRules(leave=True, roots={"/work": "redact"})
    gate = Gate(rules, engine, key=bytes(32), now=lambda: 0.0)
    whole = contents(chat("Working directory: /work", text, text[::-1], f"and {secrets[0]} again"))
    verdict = gate.judge(whole, Claim(label="redact"), tainted=frozenset(), until=1.0)
    if verdict.leaves:
        sent = gate.redacted(whole, verdict)
        told = repr(sent.conversation)
        assert not [value for value in sent.minted.values() if value in told]
        back = run(Restorer(sent.minted), [Text(sent.conversation.messages[1].text)])
        assert text_of(back) == text
