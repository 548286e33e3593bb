"""Where a request may go: its targets in order, and the one way out of the house."""
