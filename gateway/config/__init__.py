"""YAML to Policy, and back: the only room that knows pydantic and yaml."""
