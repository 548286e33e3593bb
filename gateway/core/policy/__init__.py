"""What the operator decided: one frozen tree, read once from YAML, handed to each request at its start.

Each section stands in the file named after what it decides. The string under a field is its documentation: it becomes the
comment in `policies/default.yaml` and the description in `policies/schema.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from gateway.core.policy.admission import AdmissionRules
from gateway.core.policy.circles import CircleRules
from gateway.core.policy.cloud import CloudRules
from gateway.core.policy.compaction import CompactionRules
from gateway.core.policy.keys import ClientKey
from gateway.core.policy.limits import Limits
from gateway.core.policy.models import ModelRule
from gateway.core.policy.privacy import PrivacyRules
from gateway.core.policy.recovery import RecoveryRules
from gateway.core.policy.section import section
from gateway.core.policy.server import ServerRules
from gateway.core.policy.timeouts import Timeouts
from gateway.core.policy.upstreams import Upstream


@section
class Policy:
    """The whole policy."""

    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    """The servers that answer, by a name of your choice. Empty: the Ollama of this machine. Where one model is on several, the order here decides."""

    models: tuple[ModelRule, ...] = ()
    """Rules for models, first match wins. A model without a rule is served as its upstream has it."""

    server: ServerRules = field(default_factory=ServerRules)
    """The door that clients come in by."""

    keys: Mapping[str, ClientKey] = field(default_factory=dict)
    """Keys of clients, by a name of your choice. Empty: none is asked for, and everybody who reaches the gateway is `anonymous`."""

    privacy: PrivacyRules = field(default_factory=PrivacyRules)
    """What may leave the house. Off."""

    timeouts: Timeouts = field(default_factory=Timeouts)
    """How long we wait for what. Seconds."""

    limits: Limits = field(default_factory=Limits)
    """How much of what we take."""

    admission: AdmissionRules = field(default_factory=AdmissionRules)
    """The line before each upstream."""

    compaction: CompactionRules = field(default_factory=CompactionRules)
    """When a history is compacted, and by what."""

    recovery: RecoveryRules = field(default_factory=RecoveryRules)
    """How often and how an answer is tried for."""

    circles: CircleRules = field(default_factory=CircleRules)
    """What is done about models and agents that go round in circles."""

    cloud: CloudRules = field(default_factory=CloudRules)
    """Models elsewhere, for work that is too heavy for this machine."""

    def rule_for(self, model: str) -> ModelRule:
        """The first rule whose pattern matches the name that the client used."""
        return next((rule for rule in self.models if rule.matches(model)), DEFAULT_RULE)


DEFAULT_RULE = ModelRule(match="*")
