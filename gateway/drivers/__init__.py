"""Upstreams: one file per protocol over one HTTP door. Drivers do not know each other."""
