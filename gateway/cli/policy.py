"""`holdfast policy check|show|schema|key`: is a policy right, what does it come to, what may stand in one, a key for a client."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path

from gateway.cli.outcome import FINE, FOUND
from gateway.cli.settings import add_upstream_flags, settings_of
from gateway.config.load import BadPolicy, load
from gateway.config.manual import defaults, manual, schema
from gateway.config.secret_rules import BadRules, rules_under
from gateway.core.access import hash_of


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("policy", help="check, show or describe the policy")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    check = verbs.add_parser("check", help="say whether a policy file is right, and what is not")
    check.add_argument("file", type=Path)
    check.add_argument("--json", action="store_true", help="one object on stdout")
    check.set_defaults(run=run_check)
    show = verbs.add_parser("show", help="print the effective policy, every key with its meaning")
    add_upstream_flags(show)
    show.add_argument(
        "--defaults", action="store_true", help="every key with its default instead (policies/default.yaml)"
    )
    show.add_argument("--json", action="store_true", help="one object on stdout")
    show.set_defaults(run=run_show)
    key = verbs.add_parser("key", help="make an API key for a client, and print what to write into the policy")
    key.add_argument("name", help="what to call the client, for example laptop")
    key.set_defaults(run=run_key)
    verbs.add_parser("schema", help="print the JSON Schema of a policy file").set_defaults(run=run_schema)


def run_check(arguments: argparse.Namespace) -> int:
    try:
        rules_under(load(arguments.file).privacy)
        errors: tuple[str, ...] = ()
    except (BadPolicy, BadRules) as error:
        errors = error.errors
    if arguments.json:
        print(json.dumps({"file": str(arguments.file), "ok": not errors, "errors": list(errors)}))
    else:
        print("\n".join(errors) or f"{arguments.file}: fine")
    return FOUND if errors else FINE


def run_show(arguments: argparse.Namespace) -> int:
    """Raises CannotRun, BadPolicy."""
    if arguments.defaults:
        print(defaults(), end="")
    else:
        print(manual(settings_of(arguments).policy, as_json=arguments.json))
    return FINE


def run_key(arguments: argparse.Namespace) -> int:
    """The key is printed once and kept nowhere."""
    key = f"hf-{secrets.token_urlsafe(32)}"
    print(f"# The key, for the client alone (OPENAI_API_KEY); it is kept nowhere:\n{key}\n")
    print(
        f"# For the policy file:\nkeys:\n  {json.dumps(arguments.name)}:\n    sha256: {hash_of(key)}\n    label: local"
    )
    return FINE


def run_schema(_: argparse.Namespace) -> int:
    print(schema())
    return FINE
