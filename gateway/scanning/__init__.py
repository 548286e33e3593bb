"""Runs the detection rules: the only room that knows google-re2."""
