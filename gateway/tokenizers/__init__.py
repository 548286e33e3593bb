"""Exact token counts from the vocabulary of the served model, and honest estimates where none can be had."""
