"""Tool calls as a server streams them, put together again. Whether they are whole is for the gate to say."""

from __future__ import annotations

from gateway.core.stream import Call, CallPiece, Proof


class Pieces:
    """The pieces of the calls of one attempt. They are joined when asked for."""

    def __init__(self) -> None:
        self._by_index: dict[int, list[CallPiece]] = {}
        self._joined: list[Call] | None = None

    def __bool__(self) -> bool:
        return bool(self._by_index)

    def add(self, piece: CallPiece) -> None:
        self._by_index.setdefault(piece.index, []).append(piece)
        self._joined = None

    @property
    def calls(self) -> list[Call]:
        if self._joined is None:
            self._joined = [_joined(pieces) for _, pieces in sorted(self._by_index.items())]
        return self._joined


def _joined(pieces: list[CallPiece]) -> Call:
    return Call(
        id=next((piece.id for piece in pieces if piece.id), ""),
        name="".join(piece.name for piece in pieces),
        arguments="".join(piece.arguments for piece in pieces),
        proof=Proof.COMPLETE,
    )
