"""The use of it all: what happens to a request from its first byte to its last. Knows ports, never adapters."""
