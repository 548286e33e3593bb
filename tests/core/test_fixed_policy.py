"""What a running gateway takes over of an edited policy."""

from __future__ import annotations

from dataclasses import replace

from gateway.core.policy import Policy
from gateway.core.policy.fixed import held
from gateway.core.policy.limits import Limits
from gateway.core.policy.server import ServerRules

RUNNING = Policy(server=ServerRules(host="0.0.0.0", port=9000), limits=Limits(records=7))


def test_an_edit_that_changes_nothing_fixed_is_taken_whole() -> None:
    edited = replace(
        RUNNING, server=replace(RUNNING.server, hosts=("home",)), limits=replace(RUNNING.limits, body_bytes=1)
    )
    assert held(edited, RUNNING) == (edited, ())


def test_what_is_bound_stays_and_is_named() -> None:
    edited = Policy(server=ServerRules(hosts=("home",)), limits=Limits(answer_bytes=5))
    policy, waiting = held(edited, RUNNING)
    assert waiting == ("server.host", "server.port", "limits.records")
    assert policy.server == replace(RUNNING.server, hosts=("home",))
    assert policy.limits == replace(RUNNING.limits, answer_bytes=5)
