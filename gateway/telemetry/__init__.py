"""What can be read afterwards: the log line and the record of a request, all from the same events."""
