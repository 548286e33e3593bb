"""The service's own no: nothing can be delivered, and the client is told why."""

from __future__ import annotations

from gateway.core.errors import Problem


class Refusal(Exception):
    """Ends a request before anything of its answer went out; the problem goes to the client."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem
