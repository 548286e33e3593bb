"""The front of the service: a request in, an answer to follow out, and all that is told without sending."""
