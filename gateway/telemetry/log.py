"""The log: pretty on a terminal, JSON otherwise, always on stderr. No content, no keys."""

from __future__ import annotations

import io
import logging
import sys
from traceback import extract_tb
from typing import TextIO, cast

import structlog


class _Stderr(io.TextIOBase):
    """Standard error as it is when a line is written: it may be another one than when the log was set up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Libraries(logging.Handler):
    """What libraries report: where and of which kind. Never their words, since an exception's may hold content."""

    def emit(self, record: logging.LogRecord) -> None:
        kind, _, trace = record.exc_info or (None, None, None)
        structlog.get_logger().log(
            record.levelno,
            "a library reports",
            library=record.name,
            where=[f"{frame.filename}:{frame.lineno}" for frame in extract_tb(trace)[-3:]]
            or f"{record.pathname}:{record.lineno}",
            **({"error": kind.__name__} if kind else {}),
        )


def configure(*, level: str = "info") -> None:
    """Set structlog up once, at the start of a command."""
    root = logging.getLogger()
    if not any(isinstance(each, _Libraries) for each in root.handlers):
        root.addHandler(_Libraries(logging.WARNING))
    pretty = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", _Stderr())),
        cache_logger_on_first_use=True,
    )
