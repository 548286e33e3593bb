"""Bytes to neutral and back, one file per format, both directions. Formats do not know each other."""
