"""What may leave the house: `gate.py` is the way in; rules, readings and redaction stand behind it."""
