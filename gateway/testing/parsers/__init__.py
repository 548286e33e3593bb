"""How the server itself reads what its models write, and fails to."""
