"""What is told of one request: to the journal as it happens, and to its client in a few stable words."""

from __future__ import annotations

from dataclasses import asdict

from gateway.core.events import Began, Broke, Ended, FirstPart, Mended, Moved, Noticed, Routed
from gateway.core.events import Fitted as WasFitted
from gateway.core.failures import Failure
from gateway.core.kept import Discarded, Replaced
from gateway.core.plan import Target, Try
from gateway.core.routing import Route
from gateway.core.stream import Call, Proof, Usage
from gateway.core.transcript import Transcript
from gateway.service.prompt.fitting import Fitted
from gateway.service.world import World


class Account:
    """The account of one request. `did` are the words of `x-holdfast-did`, in the order in which they became true; `state` says what it waits for now."""

    def __init__(self, request: str, world: World) -> None:
        self._request = request
        self._journal = world.journal
        self._clock = world.clock
        self.came = world.clock.now()
        self.did: list[str] = []
        self._first_part: float | None = None
        self.attempts = 0
        self.state = "measuring"
        self.cost = 0  # micro-dollars
        self.route: Route | None = None
        self._due: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the request came."""
        return self._clock.now() - self.came

    @property
    def expected(self) -> float | None:
        """Seconds until the first part is due, None where that is not known or it has come."""
        return None if self._due is None else max(0.0, self._due - self._clock.now())

    def do(self, word: str) -> None:
        if word not in self.did:
            self.did.append(word)

    def fitted(self, fitted: Fitted) -> None:
        """The prompt was measured, and made to fit where it did not."""
        self.state = "in line"
        for word in fitted.did:
            self.do(word)
        self._journal.note(
            WasFitted(
                request=self._request,
                target=str(fitted.target),
                window=fitted.window,
                count=fitted.count,
                before=fitted.before,
                stages=tuple(asdict(stage) for stage in fitted.compaction.stages) if fitted.compaction else (),
                notes=fitted.notes,
            )
        )

        if fitted.replaced:
            self._journal.keep(self._request, Replaced(fitted.replaced))

    def discarded(self, transcript: Transcript) -> None:
        """The next attempt does not go on from what the last one had made."""
        if transcript.size:
            text = transcript.written or transcript.text
            kept = Discarded(attempt=self.attempts, text=text, thought=transcript.thought)
            self._journal.keep(self._request, kept)

    def began(self, attempt: Try, *, fresh: int, expected: float | None) -> None:
        """An attempt begins; so many tokens of its prompt are new to the model, and its first part is `expected` after so many seconds."""
        self.attempts += 1
        self.state = "reading the prompt"
        self._due = None if expected is None else self._clock.now() + expected
        self._journal.note(
            Began(
                request=self._request,
                number=self.attempts,
                target=str(attempt.target),
                mode=attempt.mode,
                window=attempt.window,
                after=attempt.after,
                expected=expected,
                fresh=fresh,
            )
        )

    def first_part(self, seconds: float) -> None:
        """The upstream's first part came, so many seconds after its attempt began."""
        self.state = "writing"
        self._due = None
        if self._first_part is None:
            self._first_part = self.age
        self._journal.note(FirstPart(request=self._request, seconds=seconds))

    def broke(self, failure: Failure, *, received: int) -> None:
        """The attempt ended otherwise than well."""
        self.state = "about to try again"
        self._journal.note(
            Broke(
                request=self._request,
                number=self.attempts,
                kind=failure.kind,
                detail=failure.detail,
                received=received,
            )
        )

    def moved(self, target: Target, why: str) -> None:
        """The next target is asked, since the last one could not do it."""
        self.do("rerouted")
        self._journal.note(Moved(request=self._request, target=str(target), why=why))

    def routed(self, route: Route | None) -> None:
        """Where the work goes was decided, and why. Work at home that was asked for nowhere else needs no word."""
        if route is None or self.route is route:
            return
        self.route = route
        if route.away:
            self.do("sent_away")
        elif route.kept_home:
            self.do("kept_home")
        self._journal.note(
            Routed(
                request=self._request,
                targets=tuple(str(target) for target in route.targets),
                reasons=route.reasons,
            )
        )

    def called(self, call: Call) -> None:
        """A tool call goes out. What was put right in it is told, and how far it was proven before."""
        if not call.mends and call.proof is Proof.COMPLETE:
            return
        self.do("mended")
        self._journal.note(Mended(request=self._request, tool=call.name, mends=call.mends, proof=call.proof))

    def noticed(self, words: str) -> None:
        """Something that the operator should know."""
        self._journal.note(Noticed(request=self._request, words=words))

    def ended(self, how: str, *, usage: Usage, detail: str) -> Ended:
        """How the request ended, for the journal."""
        return Ended(
            request=self._request,
            how=how,
            seconds=self.age,
            first_part=self._first_part,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            tries=self.attempts,
            did=tuple(self.did),
            detail=detail,
            cost=self.cost,
        )
