"""Bytes to neutral and back: requests and answers of each format, over shapes that they share. Formats do not know each other."""
